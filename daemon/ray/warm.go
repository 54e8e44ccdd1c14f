package ray

// warmUpScript imports what `ray start` and Ray's two agents import, without running the agents.
// It ignores files in the folder where it runs.
const warmUpScript = `import sys
sys.path = [folder for folder in sys.path if folder]
import os, runpy, ray
for agent in ("_private/runtime_env/agent/main.py", "dashboard/agent.py"):
    runpy.run_path(os.path.join(os.path.dirname(ray.__file__), agent))
from ray.dashboard import utils
utils.get_all_modules(utils.DashboardAgentModule)
import ray.scripts.scripts`

// WarmUp returns the command that reads all the Python that a start of Ray imports, and compiles
// it where this user may write, so that the start finds it in memory. It takes 0.6 s of CPU, and
// 2.6 s where nothing is compiled (2.60). path is "" if ray.bin names no Python.
func (i Install) WarmUp() (path string, args []string) {
	return interpreter(i.Bin), []string{"-c", warmUpScript}
}
