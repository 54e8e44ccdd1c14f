package environ

import (
	"slices"
	"strings"
)

// Difference is one variable that a process does not have as it should.
type Difference struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// Compare compares the result with the environment that a process was started with and with conf,
// the text of the file that the process's NCCL_CONF_FILE names. It leaves out the base, which
// depends on who starts raynoded. A process of the job is compared with what the job gets.
func (r Result) Compare(process []string, conf string) []Difference {
	lines := r.confLines(conf)
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
	differences = append(differences, r.unexpected(process, "is set")...)
	return append(differences, r.unexpected(lines, "is in the file for NCCL")...)
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

// confLines returns the lines of the file for NCCL if it is the one that raynoded wrote. If the
// role names another file, its contents are for that file's owner to judge, and there are none to
// compare.
func (r Result) confLines(conf string) []string {
	if slices.ContainsFunc(r.Values, func(v Value) bool { return v.Name == confFile && v.layer != derived }) {
		return nil
	}
	return strings.Split(conf, "\n")
}

// unexpected returns the variables that affect training and that the process should not have at
// all. What Ray itself adds to the environment of a process is expected.
func (r Result) unexpected(entries []string, where string) []Difference {
	var found []Difference
	for _, e := range entries {
		name, _, _ := strings.Cut(e, "=")
		if affectsTraining(name) && !strings.HasPrefix(name, "RAY_") && !slices.Contains(RayAdds, name) &&
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
