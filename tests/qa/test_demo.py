"""`dateline demo` answers its questions, rightly."""

from qa import demo


def test_the_demo_answers(capsys):
    demo.show()
    out = capsys.readouterr().out
    assert "21 indexed" in out
    for answer in (
        "Dorothea Quill [1]",
        "May 22 (2024-05-22) [1]",
        "The forward radar had failed on 9 October",
    ):
        assert f"\n{answer}" in out
    assert "do not say" not in out
