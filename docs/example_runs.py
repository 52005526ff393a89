"""How the gallery runs examples, and where it finds their pictures."""

import shutil
from pathlib import Path

from sphinx_gallery.scrapers import figure_rst, matplotlib_scraper

FOLDER = Path(__file__).parent / "_build/examples"


def arguments(settings, variables):
    """Tell an example, by its command line, to write into a folder of its own."""
    return [str(FOLDER / Path(variables["src_file"]).stem)]


def written_pictures(block, variables, settings):
    """Show the figures that an example has left open, or else the pictures that it has written."""
    shown = matplotlib_scraper(block, variables, settings)
    if shown:
        return shown
    copies = []
    for picture in sorted((FOLDER / Path(variables["src_file"]).stem).glob("*.png")):
        copies.append(next(variables["image_path_iterator"]))
        shutil.copy(picture, copies[-1])
    return figure_rst(copies, settings["src_dir"])
