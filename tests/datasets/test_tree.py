"""What all readers share: finding files, and text that is none."""

import pytest

from fer_pipeline.datasets._disk import class_folders, tree
from fer_pipeline.errors import BadRaw


def names(root, paths) -> list[str]:
    return [path.relative_to(root).as_posix() for path in paths]


def test_walk_enters_linked_folders_but_no_loop_and_keeps_dead_links(put, tmp_path):
    put(tmp_path / "set", "10.png")
    put(tmp_path / "set", "2.png")
    put(tmp_path / "set", "b/1.PNG")
    put(tmp_path / "set", "b/.hidden.png")
    put(tmp_path / "elsewhere", "3.png")
    (tmp_path / "set/a").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (tmp_path / "set/b/up").symlink_to(tmp_path / "set", target_is_directory=True)
    (tmp_path / "set/gone.png").symlink_to(tmp_path / "nowhere.png")
    found = names(tmp_path / "set", tree.walk(tmp_path / "set"))
    assert found == ["gone.png", "2.png", "10.png", "a/3.png", "b/1.PNG"]


def test_a_folder_named_like_a_picture_is_a_folder(put, tmp_path):
    put(tmp_path, "odd.png/1.png")
    assert tree.files(tmp_path) == []
    assert names(tmp_path, tree.walk(tmp_path)) == ["odd.png/1.png"]


def test_child_prefers_the_exact_spelling(tmp_path):
    for name in ("SESSIONS", "Sessions", "other"):
        (tmp_path / name).mkdir()
    assert tree.child(tmp_path, "Sessions") == tmp_path / "Sessions"
    assert tree.child(tmp_path, "OTHER") == tmp_path / "other"
    assert tree.child(tmp_path, "none") is None


def test_the_missing_set_says_how_deep_was_looked(tmp_path):
    assert "up to 2 levels below it" in str(tree.missing("X", tmp_path, "x.csv", "Get it."))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"a,b\n1,2\n\xe9,3\n", "line 3: no UTF-8 text"),
        ("a,b\n1,2\n".encode("utf-16"), "line 1: no UTF-8 text"),
        ("a,b\n1,2\n".encode("utf-16-le"), "line 1: holds a NUL byte"),
        (b"a,b\n1,2\n3,\x004\n", "line 3: holds a NUL byte"),
        (b"a,b\n1\r2,3\n", "line 2: new-line character"),
        (b"a,b\n1,2\n" + b"x" * 200_000 + b",1\n", "line 3: field larger"),
        (b"a,b\n1,2\n3\n", "line 3: 1 values, not 2"),
        (b"a,c\n1,2\n", "line 1: no column 'b'"),
        (b"", "line 1: no column 'a'"),
    ],
)
def test_a_table_that_is_none_is_named_with_its_line(tmp_path, data, said):
    path = tmp_path / "labels.csv"
    path.write_bytes(data)
    with pytest.raises(BadRaw) as caught:
        list(tree.table(path, ("a", "b")))
    assert f"{path}, {said}" in str(caught.value)


def test_a_table_with_a_mark_crlf_blank_lines_and_quotes(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_bytes(b'\xef\xbb\xbf n ,a\r\n\r\n"1, one", x \r\n2,"y\r\nz"\r\n')
    assert list(tree.table(path, ("a", "n"))) == [(3, ["x", "1, one"]), (5, ["y\r\nz", "2"])]


def test_lines_are_numbered_and_bad_ones_named(tmp_path):
    path = tmp_path / "list.txt"
    path.write_bytes("\ufeffa 1\r\n\nb 2".encode())
    assert list(tree.lines(path)) == [(1, "a 1"), (3, "b 2")]
    path.write_bytes(b"a 1\n\xff 2\n")
    with pytest.raises(BadRaw, match=r"list\.txt, line 2: no UTF-8 text"):
        list(tree.lines(path))


def test_size_is_read_from_the_header(put, tmp_path):
    assert tree.size(put(tmp_path, "a.png", size=(7, 5))) == (7, 5)
    assert tree.size(put(tmp_path, "b.png", "text")) is None
    assert tree.size(tmp_path / "none.png") is None


def test_a_list_cannot_name_files_outside_the_set(put, tmp_path):
    put(tmp_path, "else.png")
    with pytest.raises(BadRaw, match="not below"):
        tree.row(tmp_path / "raw", "x/1", tmp_path / "else.png", "happy", tree.WORDS)


def test_class_folders_are_found_at_any_depth(put, tmp_path):
    put(tmp_path, "loose.png")
    put(tmp_path, "happy/1.png")
    put(tmp_path, "happy/_more/2.png")
    put(tmp_path, "__MACOSX/happy/1.png")
    (tmp_path / "happy/3.png").symlink_to(tmp_path / "no.png")
    found = [(path.name, folder) for path, folder in class_folders.labelled(tmp_path)]
    assert found == [("loose.png", None), ("1.png", "happy"), ("3.png", "happy"),
                     ("2.png", "happy")]  # fmt: skip


def test_validation_is_the_test_only_without_one(tmp_path):
    a, b, c = (tmp_path / name for name in "abc")
    both = {"train": a, "val": b, "test": c}
    assert class_folders.validation_tests(both) == both
    assert class_folders.validation_tests({"train": a, "val": b}) == {"train": a, "test": b}
