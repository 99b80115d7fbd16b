"""Carrying out a plan makes one tree like the other, and then there is nothing left to do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webrepl_bridge.client.sync_plan import ConflictError, Copying, Item, Making, Removal, Step, Tree, plan

FOLDER = Item(is_directory=True)


@st.composite
def trees(draw: st.DrawFn) -> dict[str, Item]:
    """A tree with few names, so that two of them have much in common."""
    paths = st.lists(st.sampled_from(["a", "b", "a~"]), min_size=1, max_size=3).map("/".join)
    tree: dict[str, Item] = {}
    for path, content in draw(st.dictionaries(paths, st.integers(0, 2) | st.none(), max_size=8)).items():
        parts = path.split("/")
        above = ["/".join(parts[:count]) for count in range(1, len(parts))]
        if path in tree or any(name in tree and not tree[name].is_directory for name in above):
            continue
        tree |= dict.fromkeys(above, FOLDER)
        tree[path] = FOLDER if content is None else Item(False, content, content)
    return tree


def carry_out(steps: list[Step], source: Tree, target: Tree) -> dict[str, Item]:
    """Do to a copy of `target` what a board would do; what it would refuse fails."""
    tree = dict(target)

    def has_parent(name: str) -> bool:
        parent = name.rpartition("/")[0]
        return not parent or tree[parent].is_directory

    for step in steps:
        match step:
            case Removal(name):
                del tree[name]
                tree = {other: item for other, item in tree.items() if not other.startswith(f"{name}/")}
            case Making(name):
                assert name not in tree
                assert has_parent(name)
                tree[name] = FOLDER
            case Copying(name, size_bytes):
                assert has_parent(name)
                assert name not in tree or not tree[name].is_directory
                assert source[name].size_bytes == size_bytes
                tree[name] = source[name]
    return tree


@given(trees(), trees())
def test_with_delete_the_target_becomes_the_source(source: Tree, target: Tree) -> None:
    result = carry_out(plan(source, target, delete=True), source, target)
    kept = {name: item for name, item in result.items() if name not in source}
    assert {name: item for name, item in result.items() if name in source} == source
    assert all(name.endswith("~") and name[:-1] in source for name in kept)
    carry_out(plan(source, result, delete=True), source, result)
    assert carry_out(plan(source, result, delete=True), source, result) == source


@given(trees(), trees())
def test_without_delete_nothing_is_lost(source: Tree, target: Tree) -> None:
    if any(source[name].is_directory != target[name].is_directory for name in source.keys() & target.keys()):
        with pytest.raises(ConflictError):
            plan(source, target, delete=False)
    else:
        assert carry_out(plan(source, target, delete=False), source, target) == {**target, **source}


@given(trees(), trees(), st.data())
def test_what_is_kept_stays(source: Tree, target: Tree, data: st.DataObject) -> None:
    only_there = sorted(target.keys() - source.keys())
    kept = data.draw(st.sets(st.sampled_from(only_there))) if only_there else set()
    kept |= {name for name in only_there if any(name.startswith(f"{other}/") for other in kept)}
    try:
        steps = plan(source, target, delete=True, kept=kept)
    except ConflictError as conflict:
        clashing = str(conflict)
    else:
        clashing = ""
        assert kept <= carry_out(steps, source, target).keys()
    assert not clashing or any(name.startswith(f"{clashing}/") for name in kept)


@given(trees())
def test_of_what_is_the_same_nothing_is_done(tree: Tree) -> None:
    assert plan(tree, tree, delete=True) == []


def test_the_beginning_of_a_file_stays_for_its_end() -> None:
    file = Item(False, 10, 1)
    assert plan({"big": file}, {"big~": file, "old~": file}, delete=True) == [Removal("old~"), Copying("big", 10)]


def test_a_directory_is_removed_as_a_whole() -> None:
    target = {"d": FOLDER, "d/e": FOLDER, "d/e/f": Item(False, 1, 1)}
    assert plan({}, target, delete=True) == [Removal("d")]
    assert plan({"d": Item(False, 3, 3)}, target, delete=True) == [Removal("d"), Copying("d", 3)]
    with pytest.raises(ConflictError, match=r"^d$"):
        plan({"d": Item(False, 3, 3)}, target, delete=False)
