"""Environment variables that change results, by name: no other variable is looked at, since many hold secrets.

Names are listed one by one where a family also holds paths, tokens or what only prints: `TF_` is TensorFlow's and
Terraform's, whose `TF_VAR_…` are passwords as often as not.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Final

from .facts import Fact

__all__ = ["variable_facts"]

_FAMILIES: Final = (
    *("OMP_", "KMP_", "MKL_", "OPENBLAS_", "GOTO_", "BLIS_", "NPY_", "NVPL_", "ARMPL_", "VECLIB_", "BLAS_", "ROCBLAS_"),
    *("DNNL_", "ONEDNN_", "ATEN_", "CUBLAS_", "CUDNN_", "XLA_", "TORCHINDUCTOR_", "PYTORCH_TUNABLEOP_", "NUMEXPR_"),
    *("MIOPEN_", "SKLEARN_", "MALLOC_PERTURB"),
)
_SILENT: Final = re.compile(
    r".*(VERBOSE|DISPLAY|LOG|DEBUG_(?!CPU)|DUMP|PRINT|TRACE|WARN|PROFIL|TOOL|SETTINGS|PATH|DIR|FILE|CACHE|JITDUMP"
    r"|TOKEN|SECRET|PASSWORD|KEY|URL|REMOTE|SKIP_NETWORK|SKIP_SLOW).*"
)
"""Members of the families that print, point to places, or could hold what is nobody's business."""
_NAMES: Final = frozenset(
    {
        *("PYTHONHASHSEED", "PYTHONMALLOC", "GLIBC_TUNABLES", "LD_PRELOAD", "DYLD_INSERT_LIBRARIES"),
        *("LOKY_MAX_CPU_COUNT", "JOBLIB_START_METHOD", "RAYON_NUM_THREADS", "ARROW_USER_SIMD_LEVEL"),
        *("POLARS_MAX_THREADS", "POLARS_ENGINE_AFFINITY", "POLARS_IDEAL_MORSEL_SIZE", "POLARS_STREAMING_CHUNK_SIZE"),
        *("NUMBA_NUM_THREADS", "NUMBA_DISABLE_JIT", "NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES", "NUMBA_THREADING_LAYER"),
        *("NUMBA_OPT", "NUMBA_ENABLE_AVX", "SCIPY_ARRAY_API", "SCIPY_USE_PROPACK"),
        *("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "CUDA_LAUNCH_BLOCKING", "CUDA_DEVICE_MAX_CONNECTIONS"),
        *("NVIDIA_TF32_OVERRIDE", "NCCL_ALGO", "NCCL_PROTO", "NCCL_NVLS_ENABLE", "NCCL_MIN_NCHANNELS"),
        *("NCCL_MAX_NCHANNELS", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "HSA_OVERRIDE_GFX_VERSION"),
        *("ZE_AFFINITY_MASK", "ZE_FLAT_DEVICE_HIERARCHY"),
        *("TORCH_ALLOW_TF32_CUBLAS_OVERRIDE", "TORCH_BLAS_PREFER_CUBLASLT", "TORCH_LINALG_PREFER_CUSOLVER"),
        *("TORCH_LINALG_PREFER_HIPSOLVER", "TORCH_CUDNN_V8_API_DISABLED", "TORCH_CUDNN_SDPA_ENABLED"),
        *(
            "TORCH_CUDNN_USE_HEURISTIC_MODE_B",
            "TORCH_COMPILE_DISABLE",
            "TORCHDYNAMO_DISABLE",
            "TORCH_MKLDNN_MATMUL_MIN_DIM",
        ),
        *("TORCH_NNPACK", "PYTORCH_JIT", "PYTORCH_NVFUSER_DISABLE", "PYTORCH_ENABLE_MPS_FALLBACK"),
        *("PYTORCH_MPS_FAST_MATH", "PYTORCH_MPS_PREFER_METAL", "FLASH_ATTENTION_DETERMINISTIC"),
        *("TF_DETERMINISTIC_OPS", "TF_CUDNN_DETERMINISTIC", "TF_CUDNN_USE_AUTOTUNE", "TF_CUDNN_USE_FRONTEND"),
        *("TF_ENABLE_ONEDNN_OPTS", "TF_USE_CUDNN_BATCHNORM_SPATIAL_PERSISTENT", "TF_ENABLE_WINOGRAD_NONFUSED"),
        *("TF_XLA_FLAGS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "TF_OVERRIDE_GLOBAL_THREADPOOL"),
        *("TF_USE_LEGACY_KERAS", "TF_DISABLE_MKL", "KERAS_BACKEND", "LIBTPU_INIT_ARGS"),
        *("JAX_ENABLE_X64", "JAX_DEFAULT_MATMUL_PRECISION", "JAX_DEFAULT_PRNG_IMPL", "JAX_THREEFRY_PARTITIONABLE"),
        *("JAX_NUMPY_DTYPE_PROMOTION", "JAX_DISABLE_JIT", "JAX_PLATFORMS", "JAX_PLATFORM_NAME", "JAX_NUM_CPU_DEVICES"),
    }
)
_PLACES: Final = ("LD_PRELOAD", "DYLD_INSERT_LIBRARIES")
"""Lists of files, of which only the names count: a folder may be called after its owner."""
_OWN: Final = frozenset({"KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK"})
"""Set by scikit-learn when it is imported; they change no number."""
_LONGEST: Final = 120


def variable_facts() -> Iterator[Fact]:
    """Yield the variables that are set and can change results, as the process sees them now."""
    for name, value in os.environ.items():
        if counts(name):
            plain = (
                ":".join(re.split(r"[/\\]", one)[-1] for one in re.split(r"[: ]+", value)) if name in _PLACES else value
            )
            shown = plain if len(plain) <= _LONGEST else f"{plain[: _LONGEST - 3]}..."
            yield Fact(f"variable {name}", shown or "empty", value=f"={plain}")


def counts(name: str) -> bool:
    """Tell whether the variable of this name can change results."""
    return name in _NAMES or (name.startswith(_FAMILIES) and name not in _OWN and not _SILENT.fullmatch(name))
