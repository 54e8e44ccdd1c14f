package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/raynoded/raynoded/daemon/environ"
	"github.com/raynoded/raynoded/daemon/gcs"
	"github.com/raynoded/raynoded/daemon/ray"
	"github.com/raynoded/raynoded/daemon/role"
)

// Environment is what Ray and the job get where a node of the role starts now.
type Environment struct {
	Kind      role.Kind `json:"role"`
	Files     []string  `json:"files"`     // the role file and its drop-ins
	Address   string    `json:"node_ip"`   // "" = not known, or a single host
	Interface string    `json:"interface"` // that has it; "" = none, or only the loopback one
	ConfFile  string    `json:"nccl_conf_file"`
	environ.Result
	Unknown error `json:"-"` // why the node's address is not known; nil = it is, or a single host needs none
}

// FindEnvironment makes it without a daemon, from the environment env of this process. That the
// node's address cannot be found out is a warning in it, and Unknown.
func FindEnvironment(ctx context.Context, r *role.Role, place Place, env []string) (Environment, error) {
	decided, undecided := decideNow(ctx, r)
	if undecided != nil {
		decided = r
	}
	sources, err := readSources(decided, place, env)
	if err != nil {
		return Environment{}, err
	}
	ip, unknown := nodeIP(ctx, decided)
	token, _ := tokenFile(decided, credentials(decided)) // that there is none is for the start to complain about
	token = place.rayToken(decided, token)
	sources.Address, sources.Interface = ip, holder(ip)
	if decided.Kind != role.Single {
		sources.Node = ray.Node{
			Role: decided, Head: decided.Kind == role.Head, TempDir: place.tempDir(decided), TokenFile: token,
			StoreDir: place.storeDir(),
		}.Own()
	}
	e := Environment{
		Kind: decided.Kind, Files: r.Files, Address: ip, Interface: sources.Interface, ConfFile: place.ConfFile(),
		Result: environ.Resolve(sources),
	}
	if err := cmp.Or(undecided, unknown); err != nil {
		e.Unknown = fmt.Errorf("this node's address is not known, so nothing is derived from it: %w", err)
		e.Warnings = append(e.Warnings, e.Unknown.Error())
	}
	return e, nil
}

// decideNow is Decide for those who do not wait: a head whose name has no address cannot be
// reached.
func decideNow(ctx context.Context, r *role.Role) (*role.Role, error) {
	decided, err := Decide(ctx, r, os.Getenv)
	if errors.Is(err, errUnresolved) {
		err = fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return decided, err
}

// Compare holds the environment of a running process against this one, which must be known.
func (e Environment) Compare(pid int) ([]environ.Difference, error) {
	process, err := processEnv(pid)
	if err != nil {
		return nil, err
	}
	// As the process sees it.
	conf, err := os.ReadFile(
		filepath.Join(procDir(pid), "root", lookup(process, "NCCL_CONF_FILE")),
	)
	if err != nil {
		conf = nil // what should be in it is reported as missing
	}
	return e.Result.Compare(process, string(conf)), nil
}

// Digests are the digests of the environments of a cluster's nodes.
type Digests struct {
	Common string       `json:"common"` // what most nodes have; of as many, the head's
	Nodes  []NodeDigest `json:"nodes"`  // by name
}

// NodeDigest is one node's.
type NodeDigest struct {
	Name    string `json:"name"`
	Digest  string `json:"digest"` // "" = it has none: no raynoded of this release started it
	Differs bool   `json:"differs"`
}

// Differ says whether there is a node that differs from the others.
func (d Digests) Differ() bool {
	return slices.ContainsFunc(d.Nodes, func(n NodeDigest) bool { return n.Differs })
}

// FindDigests asks the role's GCS for those of the nodes that are alive.
func FindDigests(ctx context.Context, r *role.Role) (Digests, error) {
	token, err := readToken(r, credentials(r))
	if err != nil {
		return Digests{}, err
	}
	decided, err := decideNow(ctx, r)
	if err != nil {
		return Digests{}, err
	}
	if decided.Kind == role.Single {
		return Digests{Nodes: []NodeDigest{}}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	conn, all, err := nodesOf(ctx, decided, token.secret)
	switch {
	case errors.Is(err, ErrToken):
		return Digests{}, err
	case err != nil:
		return Digests{}, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	defer conn.Close()
	return digests(all), pinned(ctx, conn, decided.Cluster.ID)
}

// digests compares the labels of the nodes that are alive.
func digests(all []gcs.Node) Digests {
	d := Digests{Nodes: []NodeDigest{}}
	votes := map[string]int{}
	head := ""
	for _, n := range present(all) {
		digest := n.Labels[ray.DigestLabel]
		d.Nodes = append(d.Nodes, NodeDigest{Name: n.Name, Digest: digest})
		votes[digest]++
		if n.Head {
			head = digest
		}
	}
	d.Common = head
	for _, n := range d.Nodes {
		if votes[n.Digest] > votes[d.Common] {
			d.Common = n.Digest
		}
	}
	for i := range d.Nodes {
		d.Nodes[i].Differs = d.Nodes[i].Digest != d.Common
	}
	slices.SortFunc(d.Nodes, func(a, b NodeDigest) int { return cmp.Compare(a.Name, b.Name) })
	return d
}

// processEnv is the environment that a process was started with.
func processEnv(pid int) ([]string, error) {
	text, err := os.ReadFile(filepath.Join(procDir(pid), "environ"))
	if err != nil {
		return nil, fmt.Errorf("cannot read the environment of process %d: %w", pid, err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00"), nil
}

func procDir(pid int) string { return filepath.Join("/proc", strconv.Itoa(pid)) }
