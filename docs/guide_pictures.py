"""Pictures of the user guide that no example makes."""

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt

BLOCK, READ, REST = "#e8792b", "#f8d0ae", "#eef2f5"
SIZE = 5  # blocks a side


def grid(axis, title, read, block=(2, 2)):
    """Draw the blocks of an image, one of the result, and what it reads: boxes of y, x, sides."""
    for place in range(SIZE * SIZE):
        box = plt.Rectangle(divmod(place, SIZE), 1, 1, facecolor=REST, edgecolor="#9fb3c2")
        axis.add_patch(box)
    for row, column, height, width in read:
        axis.add_patch(plt.Rectangle((column, row), width, height, facecolor=READ, alpha=0.9))
    axis.add_patch(plt.Rectangle(block[::-1], 1, 1, facecolor=BLOCK, edgecolor="white"))
    axis.set(xlim=(0, SIZE), ylim=(SIZE, 0), xticks=[], yticks=[], aspect="equal", title=title)


def chunks(path):
    """Draw what one block of the result reads, and how memory follows from it."""
    figure, axes = plt.subplots(2, 2, figsize=(7.5, 7.5), layout="constrained")
    axes = axes.ravel()
    grid(axes[0], "a filter: a halo", [(1.7, 1.7, 1.6, 1.6)])
    grid(axes[1], "a distance: lines, axis by axis", [(0, 2, SIZE, 1), (2, 0, 1, SIZE)])
    grid(axes[2], "a measurement: the block alone", [])
    sides = range(32, 1025)
    for dimensions, color in ((2, "#2c7fb8"), (3, BLOCK)):
        shares = [((side + 40) / side) ** dimensions for side in sides]
        axes[3].plot(sides, shares, color=color, label=f"{dimensions}-D")
    axes[3].set(xscale="log", yscale="log", xlabel="pixels of a block's side")
    axes[3].set_title("read / block, reach 20")
    axes[3].set_xticks([32, 128, 512], ["32", "128", "512"])
    axes[3].set_yticks([1, 2, 4, 8], ["1", "2", "4", "8"])
    axes[3].minorticks_off()
    axes[3].legend(frameon=False)
    figure.savefig(path, dpi=100)
    plt.close(figure)


def write_all(folder):
    """Write all of them."""
    folder.mkdir(parents=True, exist_ok=True)
    chunks(folder / "chunks.png")
