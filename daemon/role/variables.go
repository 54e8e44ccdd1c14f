package role

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// maxVariable is the longest NAME=value in bytes: Linux passes no longer one to a program
// (MAX_ARG_STRLEN, which includes the final NUL).
const maxVariable = 128<<10 - 1

// CredentialPrefix stands before the name of a systemd credential in env_from.files.
const CredentialPrefix = "credential:"

// ownVariables are the variables that raynoded sets itself, each with what to use instead.
var ownVariables = map[string]string{
	"RAY_ADDRESS":                            "use cluster.head",
	"RAY_TMPDIR":                             "use ray.temp_dir",
	"RAY_AUTH_MODE":                          "use auth.mode",
	"RAY_AUTH_TOKEN":                         "use auth.token_file",
	"RAY_AUTH_TOKEN_PATH":                    "use auth.token_file",
	"RAY_CLOUD_INSTANCE_ID":                  "it tells one start of a node from the next",
	"RAY_gcs_rpc_server_reconnect_timeout_s": "it follows from [watchdog]",
	"RAY_REDIS_ADDRESS":                      "use cluster.redis",
	"RAY_external_storage_namespace":         "use cluster.redis",
	"RAY_gcs_storage":                        "use cluster.persistent_head",
	"RAY_gcs_storage_path":                   "use cluster.persistent_head",
	"NCCL_CONF_FILE":                         `it names raynoded's file, unless env_from.nccl_delivery is "env"`,
}

// systemdVariables are the variables by which systemd talks to raynoded alone. A name that ends in
// _ stands for all names that begin with it.
var systemdVariables = []string{
	"NOTIFY_SOCKET",    // a process that has it can end the unit's start, or the unit
	"WATCHDOG_",        // systemd wants the keep-alive of raynoded alone
	"LISTEN_",          // socket activation: descriptors that a child does not have
	"FDSTORE",          // goes with NOTIFY_SOCKET
	"JOURNAL_STREAM",   // says what raynoded's stderr is, not the child's
	"MAINPID",          // raynoded; only set in ExecReload= and the like
	"MANAGERPID",       // the user's service manager, which a child has nothing to say to
	"SYSTEMD_EXEC_PID", // raynoded
}

// IsSystemdVariable says whether systemd means a variable for raynoded alone, so that no child may
// have it.
func IsSystemdVariable(name string) bool {
	return slices.ContainsFunc(systemdVariables, func(s string) bool {
		return name == s || strings.HasSuffix(s, "_") && strings.HasPrefix(name, s)
	})
}

// Reserved reports whether the user must not set a variable, and what to do instead.
func (f EnvFrom) Reserved(name string) (instead string, reserved bool) {
	if name == "NCCL_CONF_FILE" && f.NCCLDelivery == DeliverEnv {
		return "", false
	}
	if instead, own := ownVariables[name]; own {
		return instead, true
	}
	if IsSystemdVariable(name) {
		return "systemd means it for raynoded", true
	}
	return "", false
}

// secretEndings are the endings of names of secrets.
var secretEndings = []string{
	"TOKEN",
	"API_KEY",
	"SECRET",
	"SECRET_KEY",
	"SECRET_ACCESS_KEY",
	"PRIVATE_KEY",
	"PASSWORD",
	"PASSWD",
	"PASSPHRASE",
}

// LooksSecret reports whether a variable of this name most likely holds a secret.
func LooksSecret(name string) bool {
	return slices.ContainsFunc(secretEndings, func(ending string) bool {
		upper := strings.ToUpper(name)
		return upper == ending || strings.HasSuffix(upper, "_"+ending)
	})
}

// HasLogin reports whether a variable names a proxy with a user, and as a rule with a password:
// http://user:password@proxy:3128.
func HasLogin(name, value string) bool { return isProxy(name) && strings.Contains(value, "@") }

func isProxy(name string) bool { return strings.HasSuffix(strings.ToLower(name), "_proxy") }

// IsVariable reports whether a name can be that of an environment variable: letters, digits and _,
// not beginning with a digit.
func IsVariable(name string) bool {
	return name != "" && strings.Trim(name, letters+digits+"_") == "" && strings.TrimLeft(name, digits) == name
}

// checkEnv checks [env] and [env_from].
func (l *loader) checkEnv() {
	r := &l.role
	for name, value := range r.Env {
		// checkDelivery has the rule for NCCL_CONF_FILE.
		l.checkVariableValue(
			EnvFrom{NCCLDelivery: DeliverEnv}, toml.Key{"env", name}.String(), name, value,
		)
		if n := l.origins[toml.Key{"env", name}.String()]; n != nil && n.doc == l.current.doc {
			line, _ := n.doc.place(n.start())
			r.EnvOrigins[name] = fmt.Sprintf("%s:%d [env]", n.doc.path, line)
		}
	}
	l.checkEach(
		"env_from.profiles", r.EnvFrom.Profiles, "must be names of profiles, made of a to z, 0 to 9 and -", isProfileName,
	)
	l.checkEach(
		"env_from.files", r.EnvFrom.Files, `must be absolute paths, or "credential:NAME" for a systemd credential`,
		isEnvFile,
	)
	l.checkEach(
		"env_from.inherit", r.EnvFrom.Inherit, "must be names of environment variables, of which the last part may be *",
		isPattern,
	)
	for _, name := range r.EnvFrom.Inherit {
		instead, reserved := r.EnvFrom.Reserved(name)
		l.check(
			!reserved || name == "NCCL_CONF_FILE", "env_from.inherit", "must leave to raynoded what it sets",
			unquoted(name+" ("+instead+")"),
		)
	}
}

// checkVariableValue checks one variable and its value; "" means that it must not be set.
func (l *loader) checkVariableValue(from EnvFrom, key, name, value string) {
	instead, reserved := from.Reserved(name)
	l.check(
		IsVariable(name), key, "must be the name of an environment variable: letters, digits and _",
		unquoted(fmt.Sprintf("%q", name)),
	)
	l.check(!reserved, key, "must leave to raynoded what it sets", unquoted(name+" ("+instead+")"))
	l.check(
		value == "" || !LooksSecret(name), key, "must come from a file of env_from.files, as it looks like a secret",
		unquoted(name),
	)
	l.check(
		!HasLogin(name, value), key, "must come from a file of env_from.files, as it has a login in it", unquoted(name),
	)
	l.check(
		len(name)+1+len(value) <= maxVariable, key,
		fmt.Sprintf("must have at most %d bytes together with its name", maxVariable-1),
		unquoted(fmt.Sprintf("%d", len(name)+len(value))),
	)
}

// checkEach complains about the first item of a list that is not good, or is listed twice.
func (l *loader) checkEach(key string, items []string, must string, good func(string) bool) {
	for i, item := range items {
		l.check(good(item), key, must, item)
		l.check(!slices.Contains(items[:i], item), key, "must not name one twice", item)
	}
}

func isProfileName(name string) bool {
	return name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz"+digits+"-") == ""
}

func isEnvFile(path string) bool {
	if name, credential := strings.CutPrefix(path, CredentialPrefix); credential {
		return name != "" && !strings.Contains(name, "/") && !strings.HasPrefix(name, ".")
	}
	return filepath.IsAbs(path)
}

func isPattern(name string) bool { return IsVariable(strings.TrimSuffix(name, "*")) }

// checkDelivery refuses NCCL_CONF_FILE from the user where raynoded sets it.
func (l *loader) checkDelivery() {
	const must = `must come with env_from.nccl_delivery "env", or NCCL would not read raynoded's file`
	from := l.role.EnvFrom
	if from.NCCLDelivery == DeliverEnv {
		return
	}
	l.conflict("env.NCCL_CONF_FILE", must, unquoted(fmt.Sprintf("%q", from.NCCLDelivery)))
	if slices.Contains(from.Inherit, "NCCL_CONF_FILE") {
		l.conflict("env_from.inherit", must, unquoted("NCCL_CONF_FILE"))
	}
}
