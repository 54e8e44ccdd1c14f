package environ

import (
	"fmt"
	"slices"
	"strings"
)

// warn says what is allowed but hardly meant.
func warn(values []Value, h Host) []string {
	warnings := []string{}
	add := func(v Value, format string, args ...any) {
		warnings = append(warnings, v.Name+": "+fmt.Sprintf(format, args...)+" ("+v.Origin+")")
	}
	for _, v := range values {
		if v.Delivery == Unset || v.layer == base || v.layer == node {
			continue
		}
		if instead, is := dead[v.Name]; is {
			add(v, "a dead name: %s", instead)
		}
		if slices.Contains(debugging, v.Name) && v.layer != profile {
			add(v, "NCCL calls it a variable for debugging, which keeps NCCL from choosing better")
		}
		if word := strings.ToUpper(v.text()); v.Name == "NCCL_DEBUG" && !slices.Contains(levels, word) {
			add(v, "NCCL does not know this level and prints nothing: it knows %s", strings.Join(levels, ", "))
		}
		if doubt := long(v.text()); v.Name == connectPause && doubt != "" {
			add(v, "%s", doubt)
		}
		for _, text := range missing(v, h) {
			if v.Withheld != "" {
				text = "it names what this host has not" // without the value
			}
			add(v, "%s", text)
		}
	}
	return warnings
}

// missing are the interfaces and devices that a value names and the host has not.
func missing(v Value, h Host) []string {
	switch v.Name {
	case "NCCL_SOCKET_IFNAME", "NCCL_OOB_NET_IFNAME", "NVSHMEM_BOOTSTRAP_UID_SOCK_IFNAME":
		return h.lacks("interface", v.text(), h.Interfaces)
	case "NCCL_IB_HCA":
		return h.lacks("RDMA device", v.text(), h.devices())
	case "GLOO_SOCKET_IFNAME", "TP_SOCKET_IFNAME":
		if strings.ContainsAny(v.text(), "^=") {
			return []string{"must be names of interfaces: ^ and = mean something to NCCL only"}
		}
		return h.lacks("interface", "="+v.text(), h.Interfaces)
	}
	return nil
}

// lacks reads NCCL's way of naming devices: a list of prefixes, of exact names after =, of what not
// to take after ^. Nothing is missing that is not to be taken.
func (h Host) lacks(what, list string, all []string) []string {
	if strings.HasPrefix(list, "^") {
		return nil
	}
	list, exact := strings.CutPrefix(list, "=")
	var found []string
	for name := range strings.SplitSeq(list, ",") {
		name, _, _ = strings.Cut(name, ":") // the port of an RDMA device
		if !slices.ContainsFunc(
			all,
			func(have string) bool { return have == name || !exact && strings.HasPrefix(have, name) },
		) {
			found = append(found, fmt.Sprintf("this host has no %s %s", what, name))
		}
	}
	return found
}

func (h Host) devices() []string {
	var names []string
	for _, a := range h.HCAs {
		names = append(names, a.Name)
	}
	return names
}
