package environ

import (
	"fmt"
	"slices"
	"strings"
)

// derivation is what follows from the host.
type derivation struct {
	name, value, why string
}

// derive says what follows from the interface that holds the node's address: nothing that NCCL
// finds out by itself, and nothing whose wrong answer would only be slow. The second result is what
// is left to a person.
func derive(h Host, netdev, address string) (found []derivation, doubt string) {
	if netdev == "" {
		return nil, ""
	}
	why := "netdev of node ip " + address
	found = []derivation{
		{"NCCL_SOCKET_IFNAME", "=" + netdev, why}, // = is NCCL's sign for this very name, and no prefix
		{"GLOO_SOCKET_IFNAME", netdev, why},
		{"TP_SOCKET_IFNAME", netdev, why},
		{"NVSHMEM_BOOTSTRAP_UID_SOCK_IFNAME", "=" + netdev, why},
	}
	own, excluded, doubt := management(h, netdev)
	if excluded {
		found = append(
			found,
			derivation{
				"NCCL_IB_HCA", "^=" + strings.Join(own, ","), "RoCE port of the management interface " + netdev + " excluded",
			},
		)
	}
	return found, doubt
}

// management finds the RoCE devices of the interface that holds the node's address. NCCL takes
// every active port for training traffic. They are excluded where the others are clearly the ones
// to train with: InfiniBand, or faster.
func management(h Host, netdev string) (own []string, excluded bool, doubt string) {
	under := h.under(netdev)
	var ownRate, rate float64
	var infiniband bool
	others := 0
	for _, a := range h.HCAs {
		r, ib, active := a.fastest()
		switch {
		case !active || !a.verbs():
		case !ib && slices.ContainsFunc(a.Netdevs, func(n string) bool { return slices.Contains(under, n) }):
			own = append(own, a.Name)
			ownRate = max(ownRate, r)
		default:
			others++
			rate, infiniband = max(rate, r), infiniband || ib
		}
	}
	switch {
	case len(own) == 0 || others == 0:
		return nil, false, ""
	case infiniband || rate > ownRate:
		return own, true, ""
	default:
		names := strings.Join(own, ",")
		return own, false, fmt.Sprintf(
			"%s, by which this node is reached, is the RoCE device %s, as fast as the others: NCCL trains over it as well; "+
				`if it is for management only, say so: NCCL_IB_HCA = "^=%s" in [env]`,
			netdev,
			names,
			names,
		)
	}
}
