package environ

import (
	"fmt"
	"slices"
	"strings"
)

// warn says what is allowed but probably not meant.
func warn(values []Value, h Host) []string {
	warnings := []string{}
	add := func(v Value, format string, args ...any) {
		warnings = append(warnings, v.Name+": "+fmt.Sprintf(format, args...)+" ("+v.Origin+")")
	}
	for _, v := range values {
		if v.Delivery == Unset || v.layer == base || v.layer == node {
			continue
		}
		if instead, is := obsolete[v.Name]; is {
			add(v, "an obsolete name: %s", instead)
		}
		if slices.Contains(debugging, v.Name) && v.layer != profile {
			add(v, "NCCL calls this a debugging variable: it keeps NCCL from making a better choice")
		}
		if word := strings.ToUpper(v.text()); v.Name == "NCCL_DEBUG" && !slices.Contains(debugLevels, word) {
			add(v, "NCCL does not know this level and prints nothing: it knows %s", strings.Join(debugLevels, ", "))
		}
		if doubt := pauseDoubt(v.text()); v.Name == connectPause && doubt != "" {
			add(v, "%s", doubt)
		}
		for _, text := range missingDevices(v, h) {
			if v.Withheld != "" {
				text = "it names something that this host does not have" // without the value
			}
			add(v, "%s", text)
		}
	}
	return warnings
}

// missingDevices returns a text for each interface or device that a value names and the host does
// not have.
func missingDevices(v Value, h Host) []string {
	switch v.Name {
	case "NCCL_SOCKET_IFNAME", "NCCL_OOB_NET_IFNAME", "NVSHMEM_BOOTSTRAP_UID_SOCK_IFNAME":
		return h.missing("interface", v.text(), h.Interfaces)
	case "NCCL_IB_HCA":
		return h.missing("RDMA device", v.text(), h.devices())
	case "GLOO_SOCKET_IFNAME", "TP_SOCKET_IFNAME":
		if strings.ContainsAny(v.text(), "^=") {
			return []string{"must be names of interfaces: ^ and = mean something to NCCL only"}
		}
		return h.missing("interface", "="+v.text(), h.Interfaces)
	}
	return nil
}

// missing reads a list in NCCL's syntax: prefixes, or exact names after =, or names to leave out
// after ^. Names to leave out are not missed.
func (h Host) missing(what, list string, all []string) []string {
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
