"""What a plan says of a tree, and which roots are refused."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from currant.errors import RootRefusedError
from currant.plan import Directory, expensive_directories, make_plan, refuse_wide_root

NAMES = st.sampled_from(["a", "b", "c", "dd", "é"])
PATHS = st.lists(NAMES, min_size=1, max_size=5).map("/".join)
TREES = st.dictionaries(PATHS.map(lambda path: path + "/f"), st.integers(0, 1 << 20), max_size=40)


@given(TREES, st.integers(1, 12))
def test_expensive_directories_are_disjoint_true_and_ordered(tree: dict[str, int], top: int) -> None:
    found = expensive_directories(tree.items(), top)
    assert len(found) <= top
    names = [one.path for one in found]
    assert not any(one != other and one.startswith(other + "/") for one in names for other in names)
    for one in found:
        below = {
            path: size for path, size in tree.items() if one.path == "." or path.startswith(one.path + "/")
        }
        assert (one.files, one.bytes) == (len(below), sum(below.values()))
    assert [one.share for one in found] == sorted((one.share for one in found), reverse=True)
    assert sum(one.share for one in found) <= 1.000001


def test_a_directory_with_its_cost_in_its_own_files_is_named_itself() -> None:
    sizes = [("lib/big.bin", 10_000_000), ("lib/sub/small", 1), ("src/one.py", 10)]
    assert expensive_directories(sizes, 10)[0].path == "lib"


def test_a_chain_of_single_directories_is_opened() -> None:
    sizes = [(f"src/main/java/{name}/f", 1_000_000) for name in ("a", "b", "c")]
    assert {one.path for one in expensive_directories(sizes, 3)} == {
        "src/main/java/a",
        "src/main/java/b",
        "src/main/java/c",
    }


def test_files_at_the_root_alone() -> None:
    assert expensive_directories([("a", 5)], 10) == [Directory(".", 1, 5, 1.0)]


@pytest.mark.parametrize("wide", ["/", "/home/someone", "~", "~/.."])
def test_wide_roots_are_refused(wide: str, tmp_path: Path) -> None:
    home = tmp_path / "users" / "me"
    home.mkdir(parents=True)
    root = Path(wide.replace("~", str(home)))
    with pytest.raises(RootRefusedError, match="--yes-really"):
        refuse_wide_root(root, home=home)


def test_a_project_below_home_is_not_refused(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    refuse_wide_root(tmp_path / "project", home=tmp_path)


def test_a_link_to_home_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "me"
    home.mkdir()
    (tmp_path / "link").symlink_to(home)
    with pytest.raises(RootRefusedError):
        refuse_wide_root(tmp_path / "link", home=home)


def test_a_plan_adds_up_and_leaves_out_what_is_ignored(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("build/\n")
    for name, size in {"src/a.py": 10, "src/b.py": 20, "build/out.o": 1_000, "README": 5}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x" * size)
    plan = make_plan(
        tmp_path,
        state_dir=tmp_path / ".currant",
        language_of=lambda path: "python" if path.endswith(".py") else None,
    )
    assert (plan.files, plan.bytes) == (4, 35 + len("build/\n"))
    assert plan.directories == 2
    assert plan.languages == {"python": 2, "other": 2}
    assert plan.expensive[0].path == "src"
