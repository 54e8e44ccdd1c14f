package role

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAddress_Text(t *testing.T) {
	for text, want := range map[string]Address{
		"gpu-001.example.net:6379": {Host: "gpu-001.example.net", Port: 6379},
		"my_host:1":                {Host: "my_host", Port: 1},
		"10.0.0.1:65535":           {Host: "10.0.0.1", Port: 65535},
		"[::1]:6379":               {Host: "::1", Port: 6379},
		":6379":                    {Host: "", Port: 6379},
	} {
		var got Address
		require.NoError(t, got.UnmarshalText([]byte(text)), text)
		require.Equal(t, want, got)
		require.Equal(t, text, got.String())
	}
	require.Empty(t, Address{}.String())
}

func TestAddress_BadText(t *testing.T) {
	const (
		shape = `must be host:port, such as "gpu-001:6379"`
		port  = "must be host:port with a port from 1 to 65535"
		host  = "must be host:port with a host name or an IP address"
		reach = "must be an address that other hosts can use"
	)
	for text, want := range map[string]string{
		"":                 shape,
		"gpu-001":          shape,
		"::1:6379":         shape,
		"http://a:6379":    shape,
		"a:":               port,
		"a:0":              port,
		"a:65536":          port,
		"a:-1":             port,
		"a:http":           port,
		"a b:1":            host,
		"a/b:1":            host,
		"-a:1":             host,
		"256.0.0.1:1":      host,
		"10.0.0:1":         host,
		"[a:b]:1":          host,
		"0.0.0.0:6379":     reach,
		"[::]:6379":        reach,
		"[fe80::1%eth0]:1": reach,
	} {
		var got Address
		require.EqualError(t, got.UnmarshalText([]byte(text)), want, text)
		require.Zero(t, got)
	}
}

func TestDuration_Text(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"10s":    10 * time.Second,
		"1h30m":  90 * time.Minute,
		"1.5s":   1500 * time.Millisecond,
		"0s":     0,
		"87600h": maxDuration,
	} {
		var got Duration
		require.NoError(t, got.UnmarshalText([]byte(text)), text)
		require.Equal(t, want, got.Duration)
	}
}

func TestDuration_BadText(t *testing.T) {
	const (
		shape   = `must be a duration such as "500ms", "10s" or "5m"`
		long    = `must be at most "87600h", which is ten years`
		endless = shape + `; there is none without an end, the longest is "87600h"`
	)
	for text, want := range map[string]string{
		"":                          shape,
		"0":                         shape,
		"-0":                        shape,
		"10":                        shape,
		"10 s":                      shape,
		"d":                         shape,
		"1d":                        shape + `; a day is "24h"`,
		"1.5d":                      shape + `; a day is "24h"`,
		"1w":                        shape,
		"5min":                      shape,
		"9999999h":                  long,
		"87600h1s":                  long,
		"2562047h":                  long,
		"1h9999999999999999999999s": long,
		"for ever":                  endless,
		"Infinity":                  endless,
		"never":                     endless,
		"-1s":                       "must not be negative",
	} {
		got := Duration{time.Second}
		require.EqualError(t, got.UnmarshalText([]byte(text)), want, text)
		require.Equal(t, Duration{time.Second}, got)
	}
}

func TestSize_Text(t *testing.T) {
	for text, want := range map[string]Size{
		"123":        123,
		"0":          0,
		"1KiB":       1 << 10,
		"2MiB":       2 << 20,
		"64GiB":      64 << 30,
		"1TiB":       1 << 40,
		"1KB":        1e3,
		"100MB":      1e8,
		"3GB":        3e9,
		"4TB":        4e12,
		"8388607TiB": 8388607 << 40,
	} {
		var got Size
		require.NoError(t, got.UnmarshalText([]byte(text)), text)
		require.Equal(t, want, got)
	}
}

func TestSize_BadText(t *testing.T) {
	const shape = `must be a size such as "64GiB" or "100MB"`
	for text, want := range map[string]string{
		"":                    shape,
		"GiB":                 shape,
		"64G":                 shape,
		"64gib":               shape,
		"64 GiB":              shape,
		"1.5GiB":              shape,
		"-1":                  shape,
		"+1":                  shape,
		"0x10":                shape,
		"1B":                  shape,
		"8388608TiB":          "must be less than 8 EiB",
		"9223372036854775808": "must be less than 8 EiB",
	} {
		got := Size(math.MaxInt64)
		require.EqualError(t, got.UnmarshalText([]byte(text)), want, text)
		require.Equal(t, Size(math.MaxInt64), got)
	}
}
