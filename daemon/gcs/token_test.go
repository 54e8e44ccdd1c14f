package gcs

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const secret = "Hunter2Hunter2"

func TestToken_NeverShown(t *testing.T) {
	token := NewToken(secret)
	type inner struct{ head Head }
	for _, v := range []any{token, &token, Head{Token: token}, inner{Head{Token: token}}, &inner{Head{Token: token}},
		[]Token{token}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p"} {
			text := fmt.Sprintf(verb, v)
			require.NotContains(t, text, secret, verb)
			require.NotContains(t, text, fmt.Sprintf("%x", secret), verb)
		}
		data, err := json.Marshal(v)
		require.NoError(t, err)
		require.NotContains(t, string(data), secret)
	}
	require.Equal(t, "[token] [token] [no token]", fmt.Sprintf("%v %d %s", token, token, Token{}))
}

func TestNewToken(t *testing.T) {
	require.Equal(t, NewToken("a"), NewToken(" a\n"))
	require.Equal(t, Token{}, NewToken(" \n"))
	require.NotEqual(t, NewToken("a"), NewToken("b"))
	require.Empty(t, Token{}.reveal())
}

func TestToken_Sent(t *testing.T) {
	g := serve(t, &fakeGCS{id: []byte{1}, secret: secret})
	for _, tt := range []struct {
		name  string
		token Token
		seen  []string
		fault Fault
	}{
		{"None", Token{}, nil, Unauthorized},
		{"Wrong", NewToken("other"), []string{"Bearer other"}, Unauthorized},
		{"Right", NewToken(secret + "\n"), []string{"Bearer " + secret}, Unknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g.seen = nil
			_, err := connect(t, Head{Address: g.address, Token: tt.token}).ClusterID(within(t, later))
			require.Equal(t, tt.fault, FaultOf(err), "%v", err)
			require.Equal(t, tt.seen, g.seen)
			require.Equal(t, tt.fault == Unknown, err == nil)
		})
	}
}

func TestToken_NotEchoed(t *testing.T) {
	for _, code := range []codes.Code{codes.Unauthenticated, codes.Aborted, codes.Internal, codes.Unavailable} {
		g := serve(t, &fakeGCS{err: status.Error(code, "bad token "+secret+"!")})
		_, err := connect(t, Head{Address: g.address, Token: NewToken(secret)}).ClusterID(within(t, later))
		require.ErrorContains(t, err, "bad token [token]!")
		for ; err != nil; err = errors.Unwrap(err) {
			require.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), secret)
		}
	}
}

// gRPC says much when it is asked to, in the process of the test called again.
func TestToken_NotInDebugOutput(t *testing.T) {
	const role = "GCS_TEST_DEBUG"
	if address := os.Getenv(role); address != "" {
		_, err := connect(t, Head{Address: address, Token: NewToken(secret)}).ClusterID(within(t, later))
		require.NoError(t, err)
		return
	}
	g := serve(t, &fakeGCS{id: []byte{1}, secret: secret})
	self := exec.Command(os.Args[0], "-test.run=^TestToken_NotInDebugOutput$", "-test.v")
	self.Env = append(os.Environ(), role+"="+g.address, "GODEBUG=http2debug=2",
		"GRPC_GO_LOG_SEVERITY_LEVEL=info", "GRPC_GO_LOG_VERBOSITY_LEVEL=99", "GRPC_BINARY_LOG_FILTER=*", "GRPC_TRACE=all")
	said, err := self.CombinedOutput()
	require.NoError(t, err, "%s", said)
	require.Contains(t, string(said), "[transport]")
	require.NotContains(t, string(said), secret)
}
