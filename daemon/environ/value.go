package environ

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/raynoded/raynoded/daemon/role"
)

// Delivery is how a value gets to the programs.
type Delivery string

// The three ways of delivery.
const (
	ByEnv  Delivery = "env"   // as an environment variable
	ByFile Delivery = "file"  // in the file that NCCL_CONF_FILE names, which only NCCL reads
	Unset  Delivery = "unset" // not at all, even if an earlier layer has a value
)

// Value is one variable and why it has its value.
type Value struct {
	Name     string   `json:"name"`
	Value    string   `json:"value"` // "" where it is withheld or unset
	Delivery Delivery `json:"delivery"`
	Origin   string   `json:"origin"`
	// Withheld says why Value does not show the value: Secret or PerStart; "" = it is shown.
	Withheld string `json:"withheld,omitempty"`
	// RayOnly says that the job does not get it, but Ray's processes on this host do. It is right on
	// this host, and the job may send its environment to others. Only a head with a job has such.
	RayOnly bool `json:"ray_only,omitempty"`

	layer  layer
	hidden *string // the value that is withheld
}

// Why a value is not shown.
const (
	Secret   = "secret"             // it is from env_from.files, or was taken over and may be a secret
	PerStart = "new at every start" // nobody knows it before Ray starts
)

// layer is one source of values; a later one wins.
type layer int

const (
	base layer = iota
	inherited
	profile
	derived
	roleFile
	file
	node
)

// text returns the value, whether it may be shown or not.
func (v Value) text() string {
	if v.hidden != nil {
		return *v.hidden
	}
	return v.Value
}

// NotApplied is a value that is set somewhere on this host and that Ray does not get.
type NotApplied struct {
	Name  string `json:"name"`
	Value string `json:"value"` // "" if the name looks like that of a secret
	From  string `json:"from"`
	Why   string `json:"why"`
}

// Result is the environment of Ray and the job on one host.
type Result struct {
	Values     []Value      `json:"values"` // by name
	Digest     string       `json:"digest"` // of what should be the same on every host: 8 hex digits
	NotApplied []NotApplied `json:"not_applied"`
	Warnings   []string     `json:"warnings"`
}

// Env returns the entries NAME=value for Ray, secrets included. What raynoded sets for the node
// itself is not among them.
func (r Result) Env() []string {
	return r.env(func(Value) bool { return true })
}

func (r Result) env(wanted func(Value) bool) []string {
	var env []string
	for _, v := range r.Values {
		if v.Delivery == ByEnv && v.layer != node && wanted(v) {
			env = append(env, v.Name+"="+v.text())
		}
	}
	return env
}

// NCCLConf returns the text of the file for NCCL; "" = there is nothing to deliver by it.
func (r Result) NCCLConf() string {
	var lines strings.Builder
	for _, v := range r.Values {
		if v.Delivery == ByFile {
			fmt.Fprintf(&lines, "%s=%s\n", v.Name, v.text())
		}
	}
	return lines.String()
}

// digest hashes what profiles, [env] and files set, except variables whose values differ from host
// to host. Of a file, it hashes the values that affect training and are no secret by their names,
// and only the names of the others: otherwise a secret could be guessed from the digest.
func digest(values []Value) string {
	hash := sha256.New()
	for _, v := range values {
		if v.layer != profile && v.layer != roleFile && v.layer != file || differs(v.Name) ||
			v.Name == headThreads {
			continue
		}
		text := v.text()
		if v.layer == file && (!affectsTraining(v.Name) || role.LooksSecret(v.Name)) {
			text = "?"
		}
		fmt.Fprintf(hash, "%s %s=%q\n", map[bool]string{true: "-", false: "+"}[v.Delivery == Unset], v.Name, text)
	}
	return hex.EncodeToString(hash.Sum(nil)[:4])
}
