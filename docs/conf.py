"""How Sphinx builds these pages."""

import ast
import configparser
import subprocess
import sys
from pathlib import Path

import dask_image

DOCS = Path(__file__).parent
BUILT = DOCS / "_build"
EXAMPLES = sorted((DOCS / "examples").glob("*.py"))
sys.path.insert(0, str(DOCS))

project = "dask-image"
author = "dask-image developers"
copyright = f"2026, {author}"
release = version = dask_image.__version__

extensions = ["numpydoc", "sphinx.ext.autodoc", "sphinx.ext.autosummary"]
templates_path = ["_templates"]
exclude_patterns = ["_build"]
# Names in single backticks are links where there is such a name.
default_role = "py:obj"

autosummary_generate = True
autosummary_ignore_module_all = False
autodoc_typehints = "none"
numpydoc_show_class_members = False

html_theme = "pydata_sphinx_theme"
html_title = f"dask-image {release}"
html_theme_options = {"navigation_with_keys": False, "show_toc_level": 2}
html_show_sourcelink = False
html_static_path = ["_static"]
html_css_files = ["wide.css"]
# These pages have none below them.
html_sidebars = {page.stem: [] for page in DOCS.glob("*.rst")}

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


def run_examples(app):
    """Run every example, so that the pictures on the pages are what the code gives today."""
    package = Path(dask_image.__file__).parent
    changed = max(path.stat().st_mtime for path in package.rglob("*.py"))
    for script in EXAMPLES:
        output = BUILT / "examples" / script.stem
        done = output / "done"
        if not done.exists() or done.stat().st_mtime < max(changed, script.stat().st_mtime):
            subprocess.run([sys.executable, script, output], check=True, stdout=subprocess.DEVNULL)
            done.touch()


def write_gallery(app):
    """Write a section for each example: its docstring, its pictures, its code."""
    sections = []
    for script in EXAMPLES:
        module = ast.parse(script.read_text())
        title, text = ast.get_docstring(module).split("\n\n", 1)
        title = title.rstrip(".")
        pictures = sorted((BUILT / "examples" / script.stem).glob("*.png"))
        sections += [title, "-" * len(title), "", text, ""]
        for picture in pictures:
            sections += [f".. image:: {picture.relative_to(DOCS)}", f"   :alt: {title}", ""]
        sections += [f".. literalinclude:: examples/{script.name}"]
        sections += [f"   :lines: {module.body[1].lineno}-", ""]
    (BUILT / "gallery.rst").write_text("\n".join(sections))


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


def setup(app):
    """Connect the functions above."""
    BUILT.mkdir(exist_ok=True)
    app.connect("missing-reference", link_other_projects)
    # Before autosummary, which reads the pages.
    for function in (run_examples, write_gallery, write_requirements, write_coverage):
        app.connect("builder-inited", function, priority=100)
