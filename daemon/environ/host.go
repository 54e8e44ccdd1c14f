package environ

import "slices"

// Host describes the network of a host.
type Host struct {
	Interfaces []string            // names of its network interfaces
	Lower      map[string][]string // interface → those right below it: the members of a bond, the carrier of a VLAN
	HCAs       []HCA               // its RDMA devices, by name
}

// HCA is one RDMA device.
type HCA struct {
	Name    string
	Driver  string   // such as "mlx5_core" or "efa"; "" = not known
	Netdevs []string // the network interfaces of the same device
	Ports   []Port
}

// Port is one port of an HCA.
type Port struct {
	Active   bool
	Ethernet bool    // RoCE; else InfiniBand or another fabric
	Rate     float64 // Gb/s; 0 = not known
}

// withLower returns an interface and all interfaces below it.
func (h Host) withLower(name string) []string {
	found := []string{name}
	for i := 0; i < len(found); i++ {
		for _, lower := range h.Lower[found[i]] {
			if !slices.Contains(found, lower) {
				found = append(found, lower)
			}
		}
	}
	return found
}

// usesVerbs says whether NCCL's own InfiniBand transport can use the device. For EFA, NCCL needs a
// plugin.
func (a HCA) usesVerbs() bool { return a.Driver != "efa" }

// fastest returns the greatest rate of the device's active ports, whether one of them is not
// Ethernet, and whether there are any.
func (a HCA) fastest() (rate float64, infiniband, active bool) {
	for _, p := range a.Ports {
		if p.Active {
			rate, active = max(rate, p.Rate), true
			infiniband = infiniband || !p.Ethernet
		}
	}
	return rate, infiniband, active
}
