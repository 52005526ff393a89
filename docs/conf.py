"""How Sphinx builds these pages."""

import configparser
import re
import sys
from pathlib import Path

import dask_image

DOCS = Path(__file__).parent
BUILT = DOCS / "_build"
sys.path[:0] = [str(DOCS), str(DOCS.parent)]

project = "dask-image"
author = "dask-image developers"
copyright = f"2026, {author}"
release = version = dask_image.__version__

extensions = [
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "examples", "gallery/*.ipynb"]
# Names in single backticks are links where there is such a name.
default_role = "py:obj"

autosummary_generate = True
autosummary_ignore_module_all = False
autodoc_typehints = "none"
numpydoc_show_class_members = False

html_theme = "pydata_sphinx_theme"
html_title = f"dask-image {release}"
html_logo = html_favicon = "_static/logo.svg"
html_theme_options = {
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "logo": {"text": "dask-image", "alt_text": "dask-image"},  # a version would not fit on phones
}
html_show_sourcelink = False
html_static_path = ["_static"]
html_css_files = ["wide.css"]
# These pages have none below them.
html_sidebars = {page.stem: [] for page in DOCS.glob("*.rst")}

# All of docs/examples is run, whatever it is called.
sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"\.py$",
    "reset_argv": "example_runs.arguments",
    "image_scrapers": "example_runs.written_pictures",
    "show_memory": False,
    "write_computation_times": False,
}

# Where the pages of other projects are; an inventory would have to be downloaded.
REFERENCES = {
    "scipy.": "https://docs.scipy.org/doc/scipy/reference/generated/{}.html",
    "numpy.": "https://numpy.org/doc/stable/reference/generated/{}.html",
    "dask.": "https://docs.dask.org/en/stable/generated/{}.html",
    "skimage.": "https://scikit-image.org/docs/stable/api/{module}.html#{}",
}


def link_other_projects(app, environment, node, content):
    """Point a reference to SciPy, NumPy, Dask or scikit-image at its page there."""
    from docutils.nodes import reference

    target = node.get("reftarget") or ""
    for prefix, address in REFERENCES.items():
        if target.startswith(prefix):
            address = address.format(target, module=target.rpartition(".")[0])
            return reference("", "", content, internal=False, refuri=address)
    return None


def underline_title(app, name, source):
    """Make the first line of an example's docstring the title of its page."""
    if name.startswith("gallery/") and name not in (
        "gallery/index",
        "gallery/sg_execution_times",
    ):
        source[0] = re.sub(
            r"(_sphx_glr_gallery_[\w.]+:\n\n+)(.+?)\.?\n",
            lambda found: f"{found[1]}{found[2]}\n{'=' * len(found[2])}\n",
            source[0],
            count=1,
        )


def write_requirements(app):
    """Write the lower bounds that setup.cfg asks for."""
    metadata = configparser.ConfigParser()
    metadata.read(DOCS.parent / "setup.cfg")
    bounds = metadata["options"]["install_requires"].split()
    (BUILT / "requirements.rst").write_text("".join(f"- ``{bound}``\n" for bound in bounds))


def write_coverage(app):
    """Write the table of functions."""
    from coverage_table import coverage_table

    (BUILT / "coverage.rst").write_text(coverage_table())


def write_special_values(app):
    """Write the table of what NaN, infinities and masks do."""
    from special_values import special_values_table

    (BUILT / "special_values.rst").write_text(special_values_table())


def write_guide_pictures(app):
    """Draw what the user guide shows."""
    from guide_pictures import write_all

    write_all(BUILT / "guide")


def setup(app):
    """Connect the functions above."""
    from function_notes import add_notes

    app.connect("autodoc-process-docstring", add_notes, priority=600)  # after numpydoc
    BUILT.mkdir(exist_ok=True)
    app.connect("missing-reference", link_other_projects)
    app.connect("source-read", underline_title)
    # Before autosummary, which reads the pages.
    for function in (
        write_requirements, write_coverage, write_special_values, write_guide_pictures,
    ):  # fmt: skip
        app.connect("builder-inited", function, priority=100)
