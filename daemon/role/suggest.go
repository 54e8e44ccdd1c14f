package role

import (
	"reflect"
	"strings"

	"github.com/BurntSushi/toml"
)

// unknownKey complains about a key that the table does not have, and suggests what was likely
// meant, in whichever letter case. A suggested key is not reported as missing.
func (l *loader) unknownKey(n *node, known []reflect.StructField) {
	siblings := make([]string, len(known))
	for i, field := range known {
		siblings[i] = keyOf(field)
	}
	text := "unknown key"
	if meant := guess(n.key, siblings, l.top); len(meant) > 0 {
		text += ", did you mean " + strings.Join(meant, " or ") + "?"
		for _, key := range meant {
			l.meant[key] = true
		}
	}
	l.complain(n, n.name(), text)
}

// guess names the key of the same table with a similar name, and that of another table with the
// very name. A key before all tables is more likely misplaced than misspelt. Where there is
// neither, the key is both: misplaced and misspelt.
func guess(key toml.Key, siblings []string, top reflect.Type) []string {
	last := len(key) - 1
	exact := inAnotherTable(key[last], top)
	near := closest(strings.ToLower(key[last]), siblings)
	if near == strings.ToLower(key[last]) {
		exact = ""
	}
	var meant []string
	if near != "" && (exact == "" || last > 0) {
		meant = append(meant, append(key[:last:last], near).String())
	}
	if exact != "" {
		meant = append(meant, exact)
	}
	if len(meant) == 0 {
		meant = misspeltInAnotherTable(key[last], top)
	}
	return meant
}

// misspeltInAnotherTable is the first key of any table that one slip makes of a name of five
// letters or more: shorter names are one slip away from too many.
func misspeltInAnotherTable(name string, top reflect.Type) []string {
	if len(name) < 5 || len(name) > maxQuoted {
		return nil
	}
	for _, key := range knownKeys(top, "") {
		if distance(strings.ToLower(name), key[strings.LastIndexByte(key, '.')+1:]) <= 1 {
			return []string{key}
		}
	}
	return nil
}

// closest is the known name with the fewest slips, or else the one with the closest part:
// "interval" means "check_interval". Five letters allow two slips, two letters allow one.
func closest(name string, known []string) string {
	limit := min(2, (len(name)+1)/3)
	best := ""
	consider := func(whole, part string) {
		if len(name) > len(part)+limit {
			return
		}
		if d := distance(name, part); d <= limit {
			best, limit = whole, d-1
		}
	}
	for _, whole := range known {
		consider(whole, whole)
	}
	if best != "" {
		return best
	}
	for _, whole := range known {
		for i := range whole {
			if whole[i] == '_' {
				consider(whole, whole[:i])
				consider(whole, whole[i+1:])
			}
		}
	}
	return best
}

// inAnotherTable is the first key of any table with exactly this name.
func inAnotherTable(name string, top reflect.Type) string {
	for _, key := range knownKeys(top, "") {
		if strings.HasSuffix("."+key, "."+strings.ToLower(name)) {
			return key
		}
	}
	return ""
}

// distance is the smallest number of slips between two names: a letter added, dropped or changed,
// or two neighbours swapped.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1) // rows[i][j] is between a[:i] and b[:j]
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		for j := range rows[i] {
			switch {
			case i == 0 || j == 0:
				rows[i][j] = i + j
			case a[i-1] == b[j-1]:
				rows[i][j] = rows[i-1][j-1]
			default:
				rows[i][j] = 1 + min(rows[i-1][j-1], rows[i-1][j], rows[i][j-1])
			}
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], 1+rows[i-2][j-2])
			}
		}
	}
	return rows[len(a)][len(b)]
}
