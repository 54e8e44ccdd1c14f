package role

import (
	"fmt"
	"math"
	"regexp"
	"strings"

	"github.com/BurntSushi/toml"
)

const (
	// maxAmount is the largest amount of any resource, and of memory in bytes
	// (MAX_RESOURCE_QUANTITY in ray/_private/ray_constants.py, Ray 2.9 to 2.60).
	maxAmount = 100e12

	// minObjectStore is the smallest object store in bytes
	// (OBJECT_STORE_MINIMUM_MEMORY_BYTES in ray/_private/ray_constants.py, Ray 2.9 to 2.60).
	minObjectStore = 75 << 20
)

// ownResources are the resources that Ray refuses in its --resources, each with what to do instead
// (_check_usage in ray/_private/parameter.py; HEAD_NODE_RESOURCE_NAME in resource_spec.py and
// resource_and_label_spec.py).
var ownResources = map[string]string{
	"CPU":                    "be set by ray.num_cpus",
	"GPU":                    "be set by ray.num_gpus",
	"memory":                 "be set by ray.memory",
	"object_store_memory":    "be set by ray.object_store_memory",
	"node:__internal_head__": "be left to Ray, which gives it to the head",
}

// checkAmounts refuses the amounts that `ray start` refuses (to_resource_dict in
// ray/_private/resource_spec.py, in resource_and_label_spec.py of Ray 2.60).
func (l *loader) checkAmounts() {
	r := &l.role.Ray
	for key, n := range map[string]*int{"ray.num_gpus": r.NumGPUs, "ray.num_cpus": r.NumCPUs} {
		if n != nil {
			l.checkCount(key, *n)
			l.check(*n <= maxAmount, key, fmt.Sprintf("must be at most %d", int(maxAmount)), *n)
		}
	}
	for key, size := range map[string]Size{"ray.memory": r.Memory, "ray.object_store_memory": r.ObjectStoreMemory} {
		l.check(size <= maxAmount, key, "must be at most "+Size(maxAmount).text(), unquoted(size.text()))
	}
	l.check(r.ObjectStoreMemory == 0 || r.ObjectStoreMemory >= minObjectStore, "ray.object_store_memory",
		"must be at least "+Size(minObjectStore).text(), unquoted(r.ObjectStoreMemory.text()))
	for name, amount := range r.Resources {
		l.checkResource(name, amount)
	}
}

// checkResource refuses what `ray start` refuses. A comma in a name ends the raylet, which takes
// its resources as a list with commas (start_raylet in ray/_private/services.py): seen on Ray 2.9,
// 2.40 and 2.60.
func (l *loader) checkResource(name string, amount float64) {
	key := toml.Key{"ray", "resources", name}.String()
	var given any = amount
	if n := l.origins[key]; n != nil {
		given = n.value // 1 is not 1.0
	}
	instead, own := ownResources[name]
	l.check(!own, key, "must "+instead, unquoted("it as a resource"))
	l.check(name != "" && !strings.Contains(name, ","), key, "must have a name without ','", name)
	l.check(amount >= 0 && !math.IsInf(amount, 1), key, "must be a finite number, not negative", given)
	l.check(amount == math.Trunc(amount), key, "must be a whole number, as Ray counts resources of a node", given)
	l.check(amount <= maxAmount, key, fmt.Sprintf("must be at most %d", int(maxAmount)), given)
}

const (
	// labelWord is a name or a value of a label (LABEL_REGEX in ray/_private/label_utils.py).
	labelWord = `[a-zA-Z0-9]([a-zA-Z0-9_.-]{0,61}[a-zA-Z0-9])?`

	maxLabelPrefix = 253
)

// The syntax of labels is that of Kubernetes, as Ray 2.45 and later judge it (validate_label_key
// and validate_label_value in ray/_private/label_utils.py). Older ones take any text.
var (
	labelName   = regexp.MustCompile(`^` + labelWord + `$`)
	labelPrefix = regexp.MustCompile(`^(` + labelWord + `)?(\.(` + labelWord + `)?)*$`)
)

// nodeIDLabel is the label that no user may set: the raylet ends itself (seen on Ray 2.60). Before
// Ray 2.45 all of ray.io/ are refused, which depends on this host's Ray.
const nodeIDLabel = "ray.io/node-id"

// checkLabel refuses what `ray start` refuses.
func (l *loader) checkLabel(label, text string) {
	const must = "must have a name of at most 63 letters, digits, '-', '_' and '.', " +
		"which begins and ends with a letter or digit"
	key := toml.Key{"ray", "labels", label}.String()
	name := label
	if i := strings.LastIndexByte(label, '/'); i >= 0 {
		prefix := label[:i]
		name = label[i+1:]
		l.check(len(prefix) <= maxLabelPrefix && labelPrefix.MatchString(prefix), key,
			"must have a prefix like a host name, of at most 253 characters, before the last '/'", prefix)
	}
	l.check(labelName.MatchString(name), key, must, name)
	l.check(label != nodeIDLabel, key, "must be left to Ray, which sets it", unquoted("it as a label"))
	l.check(text == "" || labelName.MatchString(text), key, "must be at most 63 letters, digits, '-', '_' and '.', "+
		"and begin and end with a letter or digit", text)
}
