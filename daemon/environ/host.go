package environ

import "slices"

// Host is what a host's network is made of.
type Host struct {
	Interfaces []string            // names of its network interfaces
	Lower      map[string][]string // interface → those right below it: of a bond its members, of a VLAN what carries it
	HCAs       []HCA               // its RDMA devices, by name
}

// HCA is one RDMA device.
type HCA struct {
	Name    string
	Driver  string   // such as "mlx5_core" or "efa"; "" = not known
	Netdevs []string // the network interfaces that it is also
	Ports   []Port
}

// Port is one port of an HCA.
type Port struct {
	Active   bool
	Ethernet bool    // RoCE; else InfiniBand or something of its own
	Rate     float64 // Gb/s; 0 = not known
}

// under are an interface and all that it stands on.
func (h Host) under(name string) []string {
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

// verbs says whether NCCL's own InfiniBand transport can use the device: EFA has a plugin of its
// own.
func (a HCA) verbs() bool { return a.Driver != "efa" }

// fastest is the greatest rate of the device's active ports, and whether there is one that is not
// Ethernet.
func (a HCA) fastest() (rate float64, infiniband, active bool) {
	for _, p := range a.Ports {
		if p.Active {
			rate, active = max(rate, p.Rate), true
			infiniband = infiniband || !p.Ethernet
		}
	}
	return rate, infiniband, active
}
