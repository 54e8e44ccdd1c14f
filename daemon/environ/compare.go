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

// Compare holds the environment that a process was started with, and the text of the file that its NCCL_CONF_FILE names,
// against the result. Of the base nothing is compared: it is of whoever starts raynoded.
func (r Result) Compare(process []string, conf string) []Difference {
	differences := []Difference{}
	add := func(v Value, text string) {
		differences = append(differences, Difference{v.Name, text})
	}
	for _, v := range r.Values {
		if v.layer == base || v.Withheld == PerStart {
			continue
		}
		in := process
		if v.Delivery == ByFile {
			in = strings.Split(conf, "\n")
			if _, also := entry(process, v.Name); also {
				add(v, "is in the environment, which for NCCL comes before its file")
			}
		}
		got, set := entry(in, v.Name)
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
	return append(differences, r.beyond(process)...)
}

// beyond is what matters to training and the process has besides. What Ray adds in a process of its own is no difference.
func (r Result) beyond(process []string) []Difference {
	var found []Difference
	for _, e := range process {
		name, _, _ := strings.Cut(e, "=")
		if trains(name) && !strings.HasPrefix(name, "RAY_") && !slices.Contains(RayAdds, name) &&
			!slices.ContainsFunc(r.Values, func(v Value) bool { return v.Name == name }) {
			found = append(found, Difference{name, "is set, and nothing here says so"})
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

// entry is the last of NAME=value, which counts.
func entry(env []string, name string) (value string, set bool) {
	for _, e := range slices.Backward(env) {
		if value, set = strings.CutPrefix(e, name+"="); set {
			return value, true
		}
	}
	return "", false
}
