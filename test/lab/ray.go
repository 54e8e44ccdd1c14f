package lab

import (
	"testing"
)

// RayInRoot is the Ray program inside of a booted host.
const RayInRoot = "/opt/ray/bin/ray"

// RayBin returns the ray program of the venv with that release; the test is
// skipped where there is none.
func RayBin(t testing.TB, version string) string {
	t.Helper()
	Need(t, Ray(version))
	return find(t).piece("ray-" + version + "/bin/ray")
}

// SmallNode is what to add to `ray start` so that some nodes fit on one
// machine: a head with its dashboard then takes about 1.3 GB, a worker 0.4 GB.
func SmallNode() []string {
	return []string{"--num-cpus=1", "--object-store-memory=100000000"}
}
