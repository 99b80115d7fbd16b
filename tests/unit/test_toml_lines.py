from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from webrepl_bridge.toml_lines import line_of

names = st.text("abc", min_size=1, max_size=3)


@given(st.lists(names, min_size=1, max_size=6, unique=True), st.data())
def test_the_line_of_a_key_is_its_own(keys: list[str], data: st.DataObject) -> None:
    lines = ["[table]", *(f"{key} = {number}" for number, key in enumerate(keys))]
    key = data.draw(st.sampled_from(keys))
    assert line_of("\n".join(lines), ["table", key]) == 2 + keys.index(key)
    assert line_of("\n".join(lines), ["table", "missing"]) == 1
