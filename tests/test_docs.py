"""The helpers of the documentation's build."""

import importlib
import sys
from pathlib import Path

import pytest

from dask_image._utils.capabilities import CAPABILITIES

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture
def helper(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(DOCS), *sys.path])
    return importlib.import_module


def test_dead_links_are_found(helper, tmp_path):
    page = '<a href="two.html#there"></a><a href="https://elsewhere/x"></a><h1 id="up"></h1>'
    dead = (
        '<a href="#up"></a><a href="two.html#gone"></a><img src="none.png"><a href="no.html"></a>'
    )
    (tmp_path / "one.html").write_text(page + dead)
    (tmp_path / "two.html").write_text('<p id="there"></p>')
    found = helper("check_links").dead_links(tmp_path)
    assert list(found) == [
        (Path("one.html"), target) for target in ("no.html", "none.png", "two.html#gone")
    ]


@pytest.mark.parametrize(
    ("name", "count"),
    [("gaussian_filter", 1), ("regionprops_table", 4.17), ("find_objects", 2.58), ("sum", 2.58)],
)
def test_tasks_are_counted(helper, name, count):
    notes = helper("function_notes")
    assert notes.tasks_a_block(name) == pytest.approx(count, abs=0.01)
    assert f"Tasks a block, of a usual call in 2-D: {count:.2g}." in notes.how_it_is_computed(name)


@pytest.mark.parametrize("name", CAPABILITIES)
def test_every_function_says_how_it_is_computed(helper, monkeypatch, name):
    notes = helper("function_notes")
    monkeypatch.setattr(notes, "tasks_a_block", lambda name: 1)  # takes long for all of them
    assert notes.how_it_is_computed(name)
    assert notes.areas_of(name)


def test_notes_name_the_twins(helper):
    lines = []
    name = "dask_image.ndmeasure.label"
    helper("function_notes").add_notes(None, "function", name, None, None, lines)
    text = "\n".join(lines)
    assert "each block twice" in text
    assert ":func:`dask_image.ndimage.label`, :func:`dask_image.xarray.label`" in text


def test_coverage_lists_what_scipy_has_none_of(helper):
    table = helper("coverage_table").coverage_table()
    assert "ndfilters.gaussian_filter" in table
    assert ":func:`segmentation.watershed <dask_image.segmentation.watershed>`" in table


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ndfilters.gaussian_filter", ("NaN around", "∞ around", "∞ around")),
        ("ndfilters.fill_missing", ("finite", "∞ around", "∞ around")),
        ("ndfourier.fourier_gaussian", ("NaN there", "∞ there", "∞ there")),
        ("ndinterp.spline_filter", ("NaN everywhere", "∞ everywhere", "∞ everywhere")),
        ("ndmeasure.maximum", ("NaN in part", "∞ in part", "no effect")),
        ("local_statistics.background", ("finite", "finite", "finite")),
        ("ndmorph.binary_erosion", None),
    ],
)
def test_what_special_values_do_is_told(helper, monkeypatch, name, words):
    table = helper("special_values")
    call = table.calls()[name]
    monkeypatch.setattr(table, "calls", lambda: {name: call})
    rows = list(table.rows())
    assert rows == ([] if words is None else [(name, *words, "not looked at, warns")])
    text = table.special_values_table()
    assert (f":func:`{name} <dask_image.{name}>`" in text) == bool(rows)
