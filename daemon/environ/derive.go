package environ

import (
	"fmt"
	"slices"
	"strings"
)

// derivation is a variable that follows from the host.
type derivation struct {
	name, value, why string
}

// derive returns what follows from the interface that holds the node's address. It leaves out what
// NCCL finds out by itself, and what would only make training slow if it were wrong. doubt is what
// a person has to decide.
func derive(h Host, netdev, address string) (found []derivation, doubt string) {
	if netdev == "" {
		return nil, ""
	}
	why := "netdev of node ip " + address
	found = []derivation{
		{"NCCL_SOCKET_IFNAME", "=" + netdev, why}, // to NCCL, = means this exact name; without it, it is a prefix
		{"GLOO_SOCKET_IFNAME", netdev, why},
		{"TP_SOCKET_IFNAME", netdev, why},
		{"NVSHMEM_BOOTSTRAP_UID_SOCK_IFNAME", "=" + netdev, why},
	}
	mgmt, excluded, doubt := management(h, netdev)
	if excluded {
		found = append(
			found,
			derivation{
				"NCCL_IB_HCA", "^=" + strings.Join(mgmt, ","), "RoCE port of the management interface " + netdev + " excluded",
			},
		)
	}
	return found, doubt
}

// management returns the RoCE devices of the interface that holds the node's address. NCCL uses
// every active port for training. These devices are excluded if the others are clearly the ones to
// train with: if they are InfiniBand, or faster.
func management(h Host, netdev string) (mgmt []string, excluded bool, doubt string) {
	under := h.withLower(netdev)
	var ownRate, rate float64
	var infiniband bool
	others := 0
	for _, a := range h.HCAs {
		r, ib, active := a.fastest()
		switch {
		case !active || !a.usesVerbs():
		case !ib && slices.ContainsFunc(a.Netdevs, func(n string) bool { return slices.Contains(under, n) }):
			mgmt = append(mgmt, a.Name)
			ownRate = max(ownRate, r)
		default:
			others++
			rate, infiniband = max(rate, r), infiniband || ib
		}
	}
	switch {
	case len(mgmt) == 0 || others == 0:
		return nil, false, ""
	case infiniband || rate > ownRate:
		return mgmt, true, ""
	default:
		names := strings.Join(mgmt, ",")
		return mgmt, false, fmt.Sprintf(
			"%s, by which this node is reached, is the RoCE device %s, as fast as the others: NCCL trains over it as well; "+
				`if it is for management only, say so: NCCL_IB_HCA = "^=%s" in [env]`,
			netdev,
			names,
			names,
		)
	}
}
