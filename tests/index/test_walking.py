import os
from pathlib import Path

import pytest

from index.errors import LoadError, UsageError
from index.loading import SUPPORTED_SUFFIXES, find_files, load_file


@pytest.fixture
def tree(tmp_path):
    for name in (
        "b.txt",
        "a.md",
        "UPPER.HTML",
        "image.png",
        "README",
        ".hidden.txt",
        "~$lock.docx",
        "news/2023/one.txt",
        "news/2024/two.txt",
        "news/three.json",
        "drafts/four.txt",
        ".git/five.txt",
        "my.dateline/six.txt",
        ".dateline/seven.txt",
        "index/catalog.sqlite3",
        "index/uploads/eight.txt",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    return tmp_path


def names(root, *paths, **filters):
    return [path.relative_to(root).as_posix() for path in find_files(paths or [root], **filters)]


def test_a_folder_is_walked_in_sorted_order_without_hidden_and_foreign_files(tree):
    assert names(tree) == [
        "UPPER.HTML",
        "a.md",
        "b.txt",
        "drafts/four.txt",
        "news/2023/one.txt",
        "news/2024/two.txt",
        "news/three.json",
    ]


@pytest.mark.parametrize(
    ("include", "found"),
    [
        ("*.txt", ["b.txt", "drafts/four.txt", "news/2023/one.txt", "news/2024/two.txt"]),
        ("news/*", ["news/three.json"]),
        ("news/**", ["news/2023/one.txt", "news/2024/two.txt", "news/three.json"]),
        ("news/**/*.txt", ["news/2023/one.txt", "news/2024/two.txt"]),
        ("**/o*.txt", ["news/2023/one.txt"]),
        ("**/b.txt", ["b.txt"]),
        ("./news/20??/t*", ["news/2024/two.txt"]),
        ("[ab].*", ["a.md", "b.txt"]),
        ("[!b].md", ["a.md"]),
        ("README", ["README"]),
        ("*.png", []),
        ("a.[", []),
    ],
)
def test_include(tree, include, found):
    assert names(tree, include=[include]) == found


@pytest.mark.parametrize(
    ("exclude", "lost"),
    [
        ("drafts", ["drafts/four.txt"]),
        ("drafts/", ["drafts/four.txt"]),
        ("2023", ["news/2023/one.txt"]),
        ("news/2*", ["news/2023/one.txt", "news/2024/two.txt"]),
        ("*.md", ["a.md"]),
        ("/b.txt", ["b.txt"]),
    ],
)
def test_exclude(tree, exclude, lost):
    assert sorted(set(names(tree)) - set(names(tree, exclude=[exclude]))) == lost


def test_exclude_wins_over_include(tree):
    assert names(tree, include=["*.txt"], exclude=["news", "drafts"]) == ["b.txt"]


def test_a_named_file_is_always_found(tree):
    given = [tree / "image.png", tree / ".hidden.txt", tree / "README"]
    assert list(find_files(given, include=["*.txt"], exclude=["README"])) == given


def test_a_named_hidden_folder_is_walked(tree):
    assert names(tree, tree / ".git") == [".git/five.txt"]


def test_globs_are_expanded(tree):
    assert names(tree, str(tree / "news/20*/*.txt")) == ["news/2023/one.txt", "news/2024/two.txt"]
    assert names(tree, str(tree / "**/four.txt")) == ["drafts/four.txt"]


def test_a_file_named_like_a_glob_is_itself(tree):
    odd = tree / "a[1].txt"
    odd.write_text("x")
    assert list(find_files([odd])) == [odd]


@pytest.mark.parametrize("missing", ["nowhere", "nowhere/*.txt", "nothing.txt"])
def test_a_missing_path_is_named_before_anything_is_found(tree, missing):
    with pytest.raises(UsageError, match=r"nowhere|nothing"):
        find_files([tree, tree / missing])


def test_no_file_comes_twice(tree):
    paths = [tree / "b.txt", tree, tree / "news", str(tree / "*.txt"), tree / "." / "b.txt"]
    found = [os.path.realpath(path) for path in find_files(paths)]
    assert len(found) == len(set(found)) == len(names(tree))


def test_symlinks_are_followed_but_not_in_circles(tree, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "linked.txt").write_text("x")
    (outside / "back").symlink_to(tree)
    (tree / "link").symlink_to(outside)
    (tree / "self").symlink_to(tree)
    (tree / "alias.txt").symlink_to(tree / "b.txt")
    (tree / "broken.txt").symlink_to(tree / "gone.txt")
    found = list(find_files([tree]))
    assert tree / "link/linked.txt" in found
    assert tree / "broken.txt" in found  # loading it says what is wrong
    assert len([path for path in found if path.exists() and path.samefile(tree / "b.txt")]) == 1


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_listed_is_found_itself(tree):
    locked = tree / "drafts"
    locked.chmod(0)
    try:
        assert locked in list(find_files([tree]))
    finally:
        locked.chmod(0o700)


def test_a_link_to_itself_fails_alone(tmp_path):
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "l.txt").symlink_to("l.txt")
    (tmp_path / "loop").symlink_to("loop")
    assert names(tmp_path) == ["a.txt", "l.txt"]
    with pytest.raises(LoadError, match="Too many levels of symbolic links"):
        list(load_file(tmp_path / "l.txt", "l.txt"))


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_a_link_into_a_folder_that_may_not_be_entered_fails_alone(tmp_path, tmp_path_factory):
    locked = tmp_path_factory.mktemp("locked")
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "l.txt").symlink_to(locked / "inside.txt")
    locked.chmod(0)
    try:
        assert names(tmp_path) == ["a.txt", "l.txt"]
        assert names(tmp_path, tmp_path / "l.txt") == ["l.txt"]
        with pytest.raises(LoadError, match="Permission denied"):
            list(load_file(tmp_path / "l.txt", "l.txt"))
    finally:
        locked.chmod(0o700)


@pytest.mark.parametrize("given", [str, Path])
def test_one_path_or_glob_needs_no_list(tree, given):
    assert list(find_files(given(tree / "drafts"))) == [tree / "drafts/four.txt"]
    assert list(find_files(given(tree), include=given("*.md"))) == [tree / "a.md"]
    assert tree / "a.md" not in list(find_files(given(tree), exclude=given("*.md")))


def test_what_is_left_out_for_its_format_is_told(tree):
    skipped = []
    assert list(find_files(tree, exclude="drafts", on_skip=skipped.append))
    assert skipped == [tree / "README", tree / "image.png"]
    skipped.clear()
    assert not list(find_files(tree, include="*.png", on_skip=skipped.append))
    assert skipped == [tree / "image.png"]


def test_a_folder_named_like_a_file_is_walked(tmp_path):
    (tmp_path / "x.txt").mkdir()
    (tmp_path / "x.txt" / "y.txt").write_text("x")
    assert names(tmp_path) == ["x.txt/y.txt"]


def test_suffixes():
    assert {".txt", ".pdf", ".docx", ".eml", ".jsonl", ".csv", ".html", ".md"} <= SUPPORTED_SUFFIXES
    assert all(Path(f"x{suffix}").suffix == suffix for suffix in SUPPORTED_SUFFIXES)
