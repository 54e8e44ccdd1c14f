package environ

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

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

// ReadHost reads the RDMA devices and what interfaces stand on from sys below root. The names of
// the interfaces are the caller's to give: sysfs shows those of whoever mounted it. What cannot be
// read is not there.
func ReadHost(root string, interfaces []string) Host {
	h := Host{Interfaces: slices.Sorted(slices.Values(interfaces)), Lower: map[string][]string{}}
	for _, name := range h.Interfaces {
		lower, _ := filepath.Glob(filepath.Join(root, "sys/class/net", name, "lower_*"))
		for _, path := range lower {
			h.Lower[name] = append(h.Lower[name], strings.TrimPrefix(filepath.Base(path), "lower_"))
		}
	}
	devices, _ := filepath.Glob(filepath.Join(root, "sys/class/infiniband/*"))
	for _, dir := range devices {
		h.HCAs = append(h.HCAs, readHCA(dir))
	}
	return h
}

func readHCA(dir string) HCA {
	a := HCA{Name: filepath.Base(dir)}
	if driver, err := os.Readlink(filepath.Join(dir, "device/driver")); err == nil {
		a.Driver = filepath.Base(driver)
	}
	entries, _ := os.ReadDir(filepath.Join(dir, "device/net"))
	for _, e := range entries {
		a.Netdevs = append(a.Netdevs, e.Name())
	}
	// Of an HCA that spans a bond, device/net is its first member, and only the table of GIDs names
	// the bond.
	tables, _ := filepath.Glob(filepath.Join(dir, "ports/*/gid_attrs/ndevs/*"))
	for _, path := range tables {
		if name := read(path); name != "" && !slices.Contains(a.Netdevs, name) {
			a.Netdevs = append(a.Netdevs, name)
		}
	}
	ports, _ := filepath.Glob(filepath.Join(dir, "ports/*"))
	for _, port := range ports {
		number, _, _ := strings.Cut(read(filepath.Join(port, "rate")), " ") // "400 Gb/sec (4X NDR)"
		rate, _ := strconv.ParseFloat(number, 64)
		a.Ports = append(a.Ports, Port{
			Active:   strings.HasPrefix(read(filepath.Join(port, "state")), "4:"), // "4: ACTIVE"
			Ethernet: read(filepath.Join(port, "link_layer")) == "Ethernet",
			Rate:     rate,
		})
	}
	return a
}

func read(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
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
