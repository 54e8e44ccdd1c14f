package environ

import (
	"slices"
	"strings"
)

// confFile names the variable by which NCCL (2.23 and later) finds a file of settings.
const confFile = "NCCL_CONF_FILE"

// maxConfValue is the length in bytes of the longest value that NCCL takes from its file. NCCL has
// 1,024 bytes for a value and cuts the rest off (NCCL 2.30, src/misc/param.cc).
const maxConfValue = 1023

// ncclPerHost are NCCL's variables whose right values differ from host to host: names of devices,
// and an index into a table that each host has for itself. A file can deliver them.
var ncclPerHost = map[string]bool{
	"NCCL_SOCKET_IFNAME":  true,
	"NCCL_OOB_NET_IFNAME": true,
	"NCCL_IB_HCA":         true,
	"NCCL_IB_GID_INDEX":   true,
	"NCCL_HOSTID":         true,
}

// otherPerHost are the other variables whose right values differ from host to host: names of
// devices. No file can deliver them.
var otherPerHost = map[string]bool{
	"GLOO_SOCKET_IFNAME":                true,
	"TP_SOCKET_IFNAME":                  true,
	"NVSHMEM_BOOTSTRAP_UID_SOCK_IFNAME": true,
	"UCX_NET_DEVICES":                   true,
}

// differs says whether the right value of a variable differs from host to host.
func differs(name string) bool { return ncclPerHost[name] || otherPerHost[name] }

// headThreads is what only the head needs.
const headThreads = "RAY_gcs_server_rpc_server_thread_num"

// baseNames are taken over from raynoded's own environment without being asked for.
var baseNames = []string{
	"PATH", "HOME", "USER", "LOGNAME", "SHELL", "TZ", "TMPDIR", "LANG", "LANGUAGE", "LC_*",
	"http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY",
	"ALL_PROXY", "NO_PROXY",
	"SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
	// The two variables of Ray that raynoded itself follows.
	usageStats, "RAY_DEFAULT_PYTHON_VERSION_MATCH_LEVEL",
}

const usageStats = "RAY_USAGE_STATS_ENABLED"

// trainingPrefixes are how the names of variables begin that affect a training run, in whichever
// file they are found.
var trainingPrefixes = []string{
	"NCCL_", "RCCL_", "GLOO_", "TP_SOCKET_", "TORCH_", "PYTORCH_", "UCX_", "UCC_", "NVSHMEM_", "FI_", "OFI_", "RDMAV_",
	"IBV_", "CUDA_",
	"HSA_", "ROCR_", "HIP_", "GPU_", "OMP_", "VLLM_", "RAY_", "HF_", "WANDB_", "LD_LIBRARY_PATH", "LD_PRELOAD",
	"PYTHONPATH",
}

// affectsTraining says whether a name begins with one of the trainingPrefixes.
func affectsTraining(name string) bool {
	return slices.ContainsFunc(trainingPrefixes, func(f string) bool { return strings.HasPrefix(name, f) })
}

// matches says whether a name is equal to the pattern. A * at the end of the pattern matches any
// rest.
func matches(pattern, name string) bool {
	begin, open := strings.CutSuffix(pattern, "*")
	return name == pattern || open && strings.HasPrefix(name, begin)
}

// RayAdds are the variables that Ray itself adds to the environment of a worker process (seen with
// Ray 2.60.0).
var RayAdds = []string{
	"CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "PYTHONBREAKPOINT", "RAY_CLIENT_MODE", "RAY_JOB_ID",
	"RAY_LD_PRELOAD_ON_WORKERS",
	"RAY_RAYLET_PID", "SPT_NOENV",
}

// obsolete are names that nothing reads any more, or that have a new name, each with what to do.
var obsolete = map[string]string{
	"NCCL_ASYNC_ERROR_HANDLING":  "PyTorch reads TORCH_NCCL_ASYNC_ERROR_HANDLING",
	"NCCL_BLOCKING_WAIT":         "PyTorch reads TORCH_NCCL_BLOCKING_WAIT",
	"NCCL_DESYNC_DEBUG":          "PyTorch reads TORCH_NCCL_DESYNC_DEBUG",
	"NCCL_SINGLE_RING_THRESHOLD": "removed in NCCL 2.3",
	"NCCL_LL_THRESHOLD":          "removed in NCCL 2.5",
	"NCCL_TREE_THRESHOLD":        "removed in NCCL 2.5",
	"NCCL_IB_CUDA_SUPPORT":       "removed in NCCL 2.4: use NCCL_NET_GDR_LEVEL",
	"NCCL_IB_GDR_LEVEL":          "NCCL 2.4 and later read NCCL_NET_GDR_LEVEL",
	"NCCL_MAX_NRINGS":            "NCCL 2.17 and later have NCCL_MAX_CTAS",
	"NCCL_MIN_NRINGS":            "NCCL 2.17 and later have NCCL_MIN_CTAS",
	"NCCL_MAX_NCHANNELS":         "deprecated in NCCL 2.17: use NCCL_MAX_CTAS",
	"NCCL_MIN_NCHANNELS":         "deprecated in NCCL 2.17: use NCCL_MIN_CTAS",
	"NCCL_CHECKS_DISABLE":        "deprecated in NCCL 2.2.12",
	"NCCL_CHECK_POINTERS":        "deprecated in NCCL 2.29.7: use NCCL_CHECK_MODE",
	"RCCL_MSCCL_ENABLE":          "MSCCL is gone from RCCL",
	"FI_EFA_USE_DEVICE_RDMA":     "the EFA provider and its NCCL plugin decide by themselves",
	"FI_EFA_FORK_SAFE":           "not needed with Linux 5.15 and later",
	"RDMAV_FORK_SAFE":            "not needed with Linux 5.15 and later, and harmful with EFA",
}

// debugging are variables that NCCL's own guide lists under debugging: for experiments, not for
// production (NCCL 2.31, docs/userguide/source/env.rst). The list has those that recipes set.
var debugging = []string{
	"NCCL_P2P_DISABLE", "NCCL_P2P_LEVEL", "NCCL_P2P_DIRECT_DISABLE", "NCCL_SHM_DISABLE", "NCCL_BUFFSIZE", "NCCL_NTHREADS",
	"NCCL_LAUNCH_MODE", "NCCL_IB_DISABLE", "NCCL_IB_AR_THRESHOLD", "NCCL_IB_QPS_PER_CONNECTION",
	"NCCL_IB_SPLIT_DATA_ON_QPS",
	"NCCL_IB_PCI_RELAXED_ORDERING", "NCCL_IB_ADAPTIVE_ROUTING", "NCCL_CUMEM_ENABLE", "NCCL_CUMEM_HOST_ENABLE",
	"NCCL_NET_GDR_LEVEL", "NCCL_NET_GDR_READ", "NCCL_NET_SHARED_BUFFERS", "NCCL_ALGO", "NCCL_PROTO", "NCCL_NVB_DISABLE",
	"NCCL_PXN_DISABLE", "NCCL_P2P_PXN_LEVEL", "NCCL_RUNTIME_CONNECT", "NCCL_GRAPH_REGISTER", "NCCL_LOCAL_REGISTER",
	"NCCL_DMABUF_ENABLE", "NCCL_P2P_NET_CHUNKSIZE", "NCCL_CGA_CLUSTER_SIZE", "NCCL_MAX_CTAS", "NCCL_MIN_CTAS",
	"NCCL_NVLS_ENABLE", "NCCL_IB_MERGE_NICS", "NCCL_MNNVL_ENABLE",
}

// debugLevels are the values that NCCL_DEBUG may have (NCCL 2.30, src/debug.cc). With any other,
// NCCL prints nothing.
var debugLevels = []string{"VERSION", "WARN", "INFO", "ABORT", "TRACE"}
