package environ

import (
	"slices"
	"strings"
)

// confFile names the variable by which NCCL (2.23 and later) finds a file of settings.
const confFile = "NCCL_CONF_FILE"

// maxConf is the longest value that NCCL takes from its file: it has 1,024 bytes for it, and cuts
// the rest off (NCCL 2.30, src/misc/param.cc).
const maxConf = 1023

// perHost are variables of NCCL whose right values differ from host to host: names of devices, and
// an index into a table of the host's own.
var perHost = map[string]bool{
	"NCCL_SOCKET_IFNAME":  true,
	"NCCL_OOB_NET_IFNAME": true,
	"NCCL_IB_HCA":         true,
	"NCCL_IB_GID_INDEX":   true,
	"NCCL_HOSTID":         true,
}

// unlike are further variables whose right values differ from host to host, and that no file
// delivers: names of devices.
var unlike = map[string]bool{
	"GLOO_SOCKET_IFNAME":                true,
	"TP_SOCKET_IFNAME":                  true,
	"NVSHMEM_BOOTSTRAP_UID_SOCK_IFNAME": true,
	"UCX_NET_DEVICES":                   true,
}

// differs says whether the right value of a variable differs from host to host.
func differs(name string) bool { return perHost[name] || unlike[name] }

// headThreads is what the head alone needs.
const headThreads = "RAY_gcs_server_rpc_server_thread_num"

// baseNames are what is taken over from raynoded's own environment without being asked for.
var baseNames = []string{
	"PATH", "HOME", "USER", "LOGNAME", "SHELL", "TZ", "TMPDIR", "LANG", "LANGUAGE", "LC_*",
	"http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY",
	"ALL_PROXY", "NO_PROXY",
	"SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
	// Of Ray's the two that raynoded itself heeds.
	usageStats, "RAY_DEFAULT_PYTHON_VERSION_MATCH_LEVEL",
}

const usageStats = "RAY_USAGE_STATS_ENABLED"

// families are how the names begin of what matters to a training run, whichever file it is found
// in.
var families = []string{
	"NCCL_", "RCCL_", "GLOO_", "TP_SOCKET_", "TORCH_", "PYTORCH_", "UCX_", "UCC_", "NVSHMEM_", "FI_", "OFI_", "RDMAV_",
	"IBV_", "CUDA_",
	"HSA_", "ROCR_", "HIP_", "GPU_", "OMP_", "VLLM_", "RAY_", "HF_", "WANDB_", "LD_LIBRARY_PATH", "LD_PRELOAD",
	"PYTHONPATH",
}

// trains says whether a name is of one of the families.
func trains(name string) bool {
	return slices.ContainsFunc(families, func(f string) bool { return strings.HasPrefix(name, f) })
}

// match says whether a name is the pattern, or begins with it where that ends in *.
func match(pattern, name string) bool {
	begin, open := strings.CutSuffix(pattern, "*")
	return name == pattern || open && strings.HasPrefix(name, begin)
}

// RayAdds are the variables that Ray puts into the environment of a worker process (seen with Ray
// 2.60.0).
var RayAdds = []string{
	"CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "PYTHONBREAKPOINT", "RAY_CLIENT_MODE", "RAY_JOB_ID",
	"RAY_LD_PRELOAD_ON_WORKERS",
	"RAY_RAYLET_PID", "SPT_NOENV",
}

// dead are names that nothing reads any more, or that have another name today, each with what to
// do.
var dead = map[string]string{
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

// debugging are the variables that NCCL's own guide files under debugging: for experiments, and not
// for production (NCCL 2.31, docs/userguide/source/env.rst), as far as recipes set them.
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

// levels are what NCCL_DEBUG may say (NCCL 2.30, src/debug.cc). Another word means silence.
var levels = []string{"VERSION", "WARN", "INFO", "ABORT", "TRACE"}
