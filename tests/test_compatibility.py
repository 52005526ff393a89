"""Private names of the public dask-image package that public code imports keep working here."""

import importlib
import re
import subprocess
import sys

import dask.array as da
import numpy as np
import pytest
from dask.delayed import Delayed
from scipy import ndimage, sparse

from dask_image.dispatch import _dispatch_ndinterp
from dask_image.imread import natural_sorted
from dask_image.ndfilters import _gaussian
from dask_image.ndfilters import _utils as filter_arguments
from dask_image.ndmeasure._utils import _label
from tests.helpers import seeded_image

# Found by searching public repositories for imports of modules below dask_image, November 2026:
# pyramid writers (ngff-zarr, multiscale-spatial-image and copies), Cellpose and what descends
# from its distributed modes, squidpy, sopa, harpy, scallops, and rescalers of label images.
NAMES = {
    "dask_image.dispatch": [],
    "dask_image.dispatch._dispatch_ndinterp": [
        "dispatch_affine_transform",
        "dispatch_asarray",
        "dispatch_spline_filter",
    ],
    "dask_image.imread": ["natural_sorted", "pims"],
    "dask_image.ndfilters._gaussian": [
        "_get_border",
        "_get_sigmas",
        "dispatch_gaussian_filter",
    ],
    "dask_image.ndfilters._utils": ["_get_depth_boundary"],
    "dask_image.ndmeasure._utils._label": [
        "LABEL_DTYPE",
        "_across_block_label_grouping",
        "_across_block_label_grouping_delayed",
        "_chunk_faces",
        "_to_csr_matrix",
        "connected_components_delayed",
        "label_adjacency_graph",
        "relabel_blocks",
    ],
}


@pytest.mark.parametrize("module", NAMES)
def test_names_are_there(module):
    imported = importlib.import_module(module)
    assert [name for name in NAMES[module] if not hasattr(imported, name)] == []


def in_child(code):
    """Run code in a process that has imported nothing yet."""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=120)


def test_module_of_label_is_reached_by_attribute():
    in_child(
        "import dask_image.ndmeasure\n"
        "dask_image.ndmeasure._utils._label._across_block_label_grouping\n"
        "assert not hasattr(dask_image.ndmeasure._utils, 'no_such_name')"
    )


def test_module_of_label_is_imported_from_its_package():
    in_child("from dask_image.ndmeasure._utils import _label; _label.relabel_blocks")


def test_exceptions_of_pims_are_reached_by_attribute():
    in_child("import dask_image.imread; dask_image.imread.pims.api.UnknownFormatError")


class TestArgumentsOfFilters:
    image = da.zeros((6, 8), chunks=(3, 5))

    @pytest.mark.parametrize(
        ("sigma", "truncate", "border"),
        [(1.5, 4, (6, 6)), ((1, 0.3), 3, (3, 1)), ([2, 2.1], 2.0, (4, 5)), (0, 4, (0, 0))],
    )
    def test_border(self, sigma, truncate, border):
        result = _gaussian._get_border(self.image, sigma, truncate)
        assert result == border
        assert isinstance(result, tuple)

    @pytest.mark.parametrize("sigma", [2, 2.5, (1, 2.5), np.array([1, 2])])
    def test_sigmas(self, sigma):
        result = _gaussian._get_sigmas(self.image, sigma)
        assert isinstance(result, tuple)
        assert result == tuple(np.broadcast_to(sigma, 2))

    @pytest.mark.parametrize("sigma", [[1], [1, 2, 3], [[1, 2]]])
    def test_other_numbers_of_sigmas(self, sigma):
        for function in (_gaussian._get_sigmas, lambda *args: _gaussian._get_border(*args, 4)):
            with pytest.raises(RuntimeError, match=re.escape(str(sigma))):
                function(self.image, sigma)

    def test_what_is_not_real(self):
        with pytest.raises(TypeError, match="1j"):
            _gaussian._get_sigmas(self.image, 1j)
        with pytest.raises(TypeError, match="truncate must be real, got 'a'"):
            _gaussian._get_border(self.image, 1, "a")

    @pytest.mark.parametrize(
        ("arguments", "depth", "boundary"),
        [
            ((2, 1), {0: 1, 1: 1}, {0: None, 1: None}),
            ((2, (1, 2), "none"), {0: 1, 1: 2}, {0: "none", 1: "none"}),
            ((2, {0: 1, 1: 2}, {0: None, 1: "reflect"}), {0: 1, 1: 2}, {0: None, 1: "reflect"}),
            ((1, np.int64(3), ("nearest",)), {0: 3}, {0: "nearest"}),
        ],
    )
    def test_depth_and_boundary(self, arguments, depth, boundary):
        assert filter_arguments._get_depth_boundary(*arguments) == (depth, boundary)

    @pytest.mark.parametrize(
        ("arguments", "error"),
        [
            ((0, 1), ValueError),
            ((2.0, 1), TypeError),
            ((2, -1), ValueError),
            ((2, (1, -1)), ValueError),
            ((2, 1.5), TypeError),
            ((2, (1, 1.5)), TypeError),
            ((2, (1,)), ValueError),
            ((2, 1, 3), TypeError),
            ((2, 1, ("none", 3)), TypeError),
            ((2, 1, ("none",)), ValueError),
        ],
    )
    def test_bad_depth_and_boundary(self, arguments, error):
        with pytest.raises(error):
            filter_arguments._get_depth_boundary(*arguments)


class TestDispatch:
    @pytest.mark.parametrize("image", [np.zeros(3), da.zeros(3, chunks=2)])
    def test_numpy(self, image):
        # Callers compare with SciPy's own function.
        assert _dispatch_ndinterp.dispatch_affine_transform(image) is ndimage.affine_transform
        assert _dispatch_ndinterp.dispatch_spline_filter(image) is ndimage.spline_filter
        assert _dispatch_ndinterp.dispatch_spline_filter1d(image) is ndimage.spline_filter1d
        assert _dispatch_ndinterp.dispatch_asarray(image) is np.asarray
        assert _gaussian.dispatch_gaussian_filter(image) is ndimage.gaussian_filter

    @pytest.mark.gpu
    def test_cupy(self):
        cupy = pytest.importorskip("cupy")
        import cupyx.scipy.ndimage

        image = cupy.zeros(3)
        affine_transform = _dispatch_ndinterp.dispatch_affine_transform(image)
        assert affine_transform is cupyx.scipy.ndimage.affine_transform
        assert _dispatch_ndinterp.dispatch_asarray(da.from_array(image)) is cupy.asarray


def test_natural_order():
    assert natural_sorted(["a10", "a9", "a1b10", "a1b9"]) == ["a1b9", "a1b10", "a9", "a10"]


class TestLabels:
    face = np.array([[4, 4, 0, 5], [0, 6, 6, 0]])

    def test_dtype(self):
        assert _label.LABEL_DTYPE == ndimage.label([1])[0].dtype
        assert _label.LABEL_DTYPE.type(0) == 0

    def test_lazy_grouping_and_its_matrix(self):
        pairs = _label._across_block_label_grouping_delayed(self.face, np.ones((3, 3)))
        assert isinstance(pairs, da.Array)
        assert (pairs.dtype, pairs.ndim, pairs.shape[0]) == (_label.LABEL_DTYPE, 2, 2)
        np.testing.assert_array_equal(pairs, [[4, 5], [5, 6]])
        i, j = da.concatenate([da.empty((2, 0), dtype=_label.LABEL_DTYPE, chunks=1), pairs], axis=1)
        matrix = _label._to_csr_matrix(i, j, 8)
        assert isinstance(matrix, Delayed)
        assert sparse.issparse(matrix.compute())
        groups = _label.connected_components_delayed(matrix).compute()
        np.testing.assert_array_equal(groups, [0, 1, 2, 3, 4, 4, 4, 5])

    @pytest.mark.parametrize("connectivity", [1, 2, 3])
    def test_faces_join_blocks_as_if_they_were_one(self, connectivity):
        # The way Cellpose takes: label blocks, group across faces, relabel.
        image = seeded_image((7, 8, 9), "f8") > 0.6
        lazy = da.from_array(image, chunks=((3, 3, 1), (5, 3), (4, 5)))
        structure = ndimage.generate_binary_structure(3, connectivity)
        blocks = np.zeros(image.shape, _label.LABEL_DTYPE)
        total = 0
        for place in da.core.slices_from_chunks(lazy.chunks):
            labels, count = ndimage.label(image[place], structure)
            blocks[place] = np.where(labels, labels + total, 0)
            total += count
        labels = da.from_array(blocks, chunks=lazy.chunks)
        faces = list(_label._chunk_faces(lazy.chunks, lazy.shape, structure))
        if connectivity == 1:
            assert faces == list(_label._chunk_faces(lazy.chunks, lazy.shape))
        pairs = [_label._across_block_label_grouping_delayed(labels[f], structure) for f in faces]
        i, j = da.concatenate(pairs, axis=1)
        groups = _label.connected_components_delayed(_label._to_csr_matrix(i, j, total + 1))
        joined = _label.relabel_blocks(labels, groups).compute()
        expected, count = ndimage.label(image, structure)
        assert len(np.unique(np.stack([joined[image], expected[image]]), axis=1).T) == count
        assert (joined == 0).sum() == (expected == 0).sum()

    def test_faces_in_order(self):
        faces = _label._chunk_faces(((3, 3, 2), (5, 3)), (8, 8), np.ones((3, 3)))
        assert [tuple((axis.start, axis.stop) for axis in face) for face in faces] == [
            ((0, 3), (4, 6)),
            ((2, 4), (0, 5)),
            ((2, 4), (4, 6)),
            ((2, 4), (5, 8)),
            ((3, 6), (4, 6)),
            ((5, 7), (0, 5)),
            ((5, 7), (4, 6)),
            ((5, 7), (5, 8)),
            ((6, 8), (4, 6)),
        ]
