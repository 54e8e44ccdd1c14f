package environ

import (
	"slices"
	"strings"
)

// Difference is one variable that a process has otherwise than it should.
type Difference struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// Compare holds the environment that a process was started with, and the text of the file that its
// NCCL_CONF_FILE names, against the result. Of the base nothing is compared: it is of whoever
// starts raynoded. A process that is the job's is held against what the job gets.
func (r Result) Compare(process []string, conf string) []Difference {
	lines := r.ours(conf)
	differences := []Difference{}
	add := func(v Value, text string) {
		differences = append(differences, Difference{v.Name, text})
	}
	for _, v := range r.wanted(process) {
		if v.layer == base || v.Withheld == PerStart {
			continue
		}
		in := process
		switch v.Delivery {
		case ByEnv:
		case Unset:
			in = slices.Concat(process, lines)
		case ByFile:
			in = lines
			if _, also := Lookup(process, v.Name); also {
				add(v, "is in the environment, which for NCCL comes before its file")
			}
		}
		got, set := Lookup(in, v.Name)
		switch {
		case v.Delivery == Unset && set:
			add(v, "is set, and should not be")
		case v.Delivery != Unset && !set:
			add(v, "is not set, and should be "+v.quoted())
		case v.Delivery != Unset && got != v.text() && v.Withheld == Secret:
			add(v, "has another value than it should (secret)")
		case v.Delivery != Unset && got != v.text():
			add(v, quote(got)+", and should be "+v.quoted())
		}
	}
	differences = append(differences, r.beyond(process, "is set")...)
	return append(differences, r.beyond(lines, "is in the file for NCCL")...)
}

// wanted are the values that a process should have.
func (r Result) wanted(process []string) []Value {
	if !r.isJob(process) {
		return r.Values
	}
	var values []Value
	for _, v := range r.Values {
		_, set := Lookup(process, v.Name)
		if v.layer == node && !set {
			continue // a driver needs less of it than a node
		}
		if v.RayOnly {
			v.Delivery, v.Value = Unset, ""
		}
		values = append(values, v)
	}
	return values
}

// isJob says whether an environment is one that the job got: it says where the cluster is, and has
// no mark, which all that a raylet starts has.
func (r Result) isJob(process []string) bool {
	_, driver := Lookup(process, "RAY_ADDRESS")
	return driver && !slices.ContainsFunc(r.Values, func(v Value) bool {
		_, set := Lookup(process, v.Name)
		return v.Withheld == PerStart && set
	})
}

// ours are the lines of the file that raynoded wrote for NCCL. Where the role names another one,
// what is in it is its owner's.
func (r Result) ours(conf string) []string {
	if slices.ContainsFunc(r.Values, func(v Value) bool { return v.Name == confFile && v.layer != derived }) {
		return nil
	}
	return strings.Split(conf, "\n")
}

// beyond is what matters to training and the process has besides. What Ray adds in a process of its
// own is no difference.
func (r Result) beyond(entries []string, where string) []Difference {
	var found []Difference
	for _, e := range entries {
		name, _, _ := strings.Cut(e, "=")
		if trains(name) && !strings.HasPrefix(name, "RAY_") && !slices.Contains(RayAdds, name) &&
			!slices.ContainsFunc(r.Values, func(v Value) bool { return v.Name == name }) {
			found = append(found, Difference{name, where + ", and nothing here says so"})
		}
	}
	return found
}

func (v Value) quoted() string {
	if v.Withheld == Secret {
		return "(secret)"
	}
	return quote(v.Value)
}

func quote(text string) string { return `"` + text + `"` }

// Lookup returns the last of NAME=value in an environment, which is the one that counts.
func Lookup(env []string, name string) (value string, set bool) {
	for _, e := range slices.Backward(env) {
		if value, set = strings.CutPrefix(e, name+"="); set {
			return value, true
		}
	}
	return "", false
}
