package role

import (
	"errors"
	"math"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits  = "0123456789"
)

// Address is a host and a port. The zero value is no address.
type Address struct {
	Host string // a name, or an IP address without brackets
	Port int    // 1 to 65535
}

// String is "host:port", with brackets around an IPv6 address; "" for the zero value.
func (a Address) String() string {
	if a == (Address{}) {
		return ""
	}
	return net.JoinHostPort(a.Host, strconv.Itoa(a.Port))
}

// UnmarshalText reads "host:port", and ":port", which has an empty Host.
func (a *Address) UnmarshalText(text []byte) error {
	host, number, err := net.SplitHostPort(string(text))
	if err != nil {
		return errors.New(`must be host:port, such as "gpu-001:6379"`)
	}
	port, err := strconv.ParseUint(number, 10, 16)
	if err != nil || port == 0 {
		return errors.New("must be host:port with a port from 1 to 65535")
	}
	if err := checkHost(host); err != nil {
		return err
	}
	*a = Address{Host: host, Port: int(port)}
	return nil
}

func checkHost(host string) error {
	ip, err := netip.ParseAddr(host)
	switch {
	case err == nil && (ip.IsUnspecified() || ip.Zone() != ""):
		return errors.New("must be an address that other hosts can use")
	case err == nil || host == "":
		return nil
	case strings.Trim(host, letters+digits+".-_") != "" || host[0] == '-' || strings.Trim(host, digits+".") == "":
		return errors.New("must be host:port with a host name or an IP address")
	}
	return nil
}

// Duration is a time.Duration that a role file writes as a string with a unit.
// It is never negative.
type Duration struct{ time.Duration }

// maxDuration is the longest Duration, so that sums of a few stay far below what time.Duration and
// Ray's own settings, in 32-bit seconds, can hold.
const maxDuration = 10 * 365 * 24 * time.Hour

// durationText is the syntax of a duration, too long ones included.
var durationText = regexp.MustCompile(durationForm)

// UnmarshalText reads what time.ParseDuration does, except negative durations, those above ten
// years, and numbers without a unit, "0" included.
func (d *Duration) UnmarshalText(text []byte) error {
	const must = `must be a duration such as "500ms", "10s" or "5m"`
	s := string(text)
	parsed, err := time.ParseDuration(s)
	switch {
	case err == nil && parsed < 0:
		return errors.New("must not be negative")
	case err == nil && parsed > maxDuration, err != nil && durationText.MatchString(s):
		return errors.New(`must be at most "87600h", which is ten years`)
	case endless(s):
		return errors.New(must + `; there is none without an end, the longest is "87600h"`)
	case strings.HasSuffix(s, "d") && durationText.MatchString(strings.TrimSuffix(s, "d")+"h"):
		return errors.New(must + `; a day is "24h"`)
	case err != nil || strings.Trim(s, "+-0") == "":
		return errors.New(must)
	}
	d.Duration = parsed
	return nil
}

// endless reports whether a text is one of the words by which others mean "without a limit".
func endless(s string) bool {
	words := []string{"for ever", "forever", "infinity", "infinite", "inf", "never", "unlimited", "none"}
	return slices.Contains(words, strings.ToLower(strings.TrimSpace(s)))
}

// text is the shortest text that UnmarshalText reads back.
func (d Duration) text() string {
	s := d.String()
	if short, found := strings.CutSuffix(s, "m0s"); found {
		s = short + "m"
	}
	if short, found := strings.CutSuffix(s, "h0m"); found {
		s = short + "h"
	}
	return s
}

// Size is a number of bytes. It is never negative.
type Size int64

var units = []struct {
	name  string
	bytes int64
}{
	{name: "KiB", bytes: 1 << 10},
	{name: "MiB", bytes: 1 << 20},
	{name: "GiB", bytes: 1 << 30},
	{name: "TiB", bytes: 1 << 40},
	{name: "KB", bytes: 1e3},
	{name: "MB", bytes: 1e6},
	{name: "GB", bytes: 1e9},
	{name: "TB", bytes: 1e12},
	{name: "", bytes: 1},
}

// UnmarshalText reads a whole number directly followed by a unit: KiB, MiB, GiB and TiB are powers
// of 1024; KB, MB, GB and TB are powers of 1000; no unit means bytes.
func (s *Size) UnmarshalText(text []byte) error {
	for _, unit := range units {
		number, found := strings.CutSuffix(string(text), unit.name)
		if !found {
			continue
		}
		n, err := strconv.ParseUint(number, 10, 63)
		if errors.Is(err, strconv.ErrRange) || err == nil && int64(n) > math.MaxInt64/unit.bytes {
			return errors.New("must be less than 8 EiB")
		}
		if err != nil {
			break
		}
		*s = Size(int64(n) * unit.bytes)
		return nil
	}
	return errors.New(`must be a size such as "64GiB" or "100MB"`)
}

// text is a text that UnmarshalText reads back, in the largest unit that divides the size.
func (s Size) text() string {
	best := units[len(units)-1]
	for _, unit := range units {
		if s != 0 && int64(s)%unit.bytes == 0 && unit.bytes > best.bytes {
			best = unit
		}
	}
	return strconv.FormatInt(int64(s)/best.bytes, 10) + best.name
}
