package host

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/raynoded/raynoded/daemon/environ"
)

// readNetwork reads the RDMA devices and what interfaces stand on from sys below root. The names of
// the interfaces are the caller's to give: sysfs shows those of whoever mounted it. What cannot be
// read is not there.
func readNetwork(root string, interfaces []string) environ.Host {
	h := environ.Host{Interfaces: slices.Sorted(slices.Values(interfaces)), Lower: map[string][]string{}}
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

func readHCA(dir string) environ.HCA {
	a := environ.HCA{Name: filepath.Base(dir)}
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
		if name := readLine(path); name != "" && !slices.Contains(a.Netdevs, name) {
			a.Netdevs = append(a.Netdevs, name)
		}
	}
	ports, _ := filepath.Glob(filepath.Join(dir, "ports/*"))
	for _, port := range ports {
		number, _, _ := strings.Cut(readLine(filepath.Join(port, "rate")), " ") // "400 Gb/sec (4X NDR)"
		rate, _ := strconv.ParseFloat(number, 64)
		a.Ports = append(a.Ports, environ.Port{
			Active:   strings.HasPrefix(readLine(filepath.Join(port, "state")), "4:"), // "4: ACTIVE"
			Ethernet: readLine(filepath.Join(port, "link_layer")) == "Ethernet",
			Rate:     rate,
		})
	}
	return a
}

func readLine(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
