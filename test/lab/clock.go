package lab

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// StepClock steps the wall clock that one process of the host sees; its
// monotonic clock goes on as ever, as when somebody sets the host's time. All
// hosts share the machine's clock, which stays as it is: programs read the time
// in a page of code of the kernel's (vDSO), and the process gets its own copy of
// that with another clock_gettime. It works with programs that wait by the
// monotonic clock only, as those in Go do. The test is skipped where the kernel
// does not allow it, and on other processors than amd64.
func (n *Node) StepClock(t testing.TB, pid int, by time.Duration) {
	t.Helper()
	if runtime.GOARCH != "amd64" {
		t.Skip("the clock of a process is stepped on amd64 only")
	}
	leader, err := n.leader()
	require.NoError(t, err)
	dir := fmt.Sprintf("%s/proc/%d", rootOf(leader), pid)
	n.Sh(t, fmt.Sprintf("kill -STOP %d", pid))
	defer n.Sh(t, fmt.Sprintf("kill -CONT %d", pid))
	code := clockCode(by)
	mem, err := os.OpenFile(filepath.Join(dir, "mem"), os.O_RDWR, 0)
	require.NoError(t, err)
	defer mem.Close()
	at := clockSymbol(t, dir, mem)
	Until(t, 10*time.Second, "no thread is at the clock", func() bool {
		for _, counter := range counters(t, dir) {
			if counter >= at && counter < at+uint64(len(code)) {
				n.Sh(t, fmt.Sprintf("kill -CONT %d; kill -STOP %[1]d", pid))
				return false
			}
		}
		return true
	})
	if _, err := mem.WriteAt(code, int64(at)); err != nil {
		t.Skipf("this kernel does not let a process have a clock of its own: %v", err)
	}
}

// clockCode is clock_gettime as a system call that adds to the time of
// CLOCK_REALTIME, which is 0.
func clockCode(by time.Duration) []byte {
	code := []byte{
		0xb8, unix.SYS_CLOCK_GETTIME, 0, 0, 0, // mov $SYS_CLOCK_GETTIME, %eax
		0x0f, 0x05, // syscall
		0x85, 0xff, // test %edi, %edi
		0x75, 0x07, // jne to ret
		0x48, 0x81, 0x06, // addq $seconds, (%rsi)
	}
	code = binary.LittleEndian.AppendUint32(code, uint32(int32(by/time.Second)))
	return append(code, 0xc3) // ret
}

// clockSymbol is where the process has its clock_gettime.
func clockSymbol(t testing.TB, dir string, mem io.ReaderAt) uint64 {
	t.Helper()
	maps, err := os.ReadFile(filepath.Join(dir, "maps"))
	require.NoError(t, err)
	for line := range strings.Lines(string(maps)) {
		var start, end uint64
		if !strings.HasSuffix(line, " [vdso]\n") {
			continue
		}
		_, err := fmt.Sscanf(line, "%x-%x ", &start, &end)
		require.NoError(t, err)
		library := make([]byte, end-start)
		_, err = mem.ReadAt(library, int64(start))
		require.NoError(t, err)
		file, err := elf.NewFile(bytes.NewReader(library))
		require.NoError(t, err)
		symbols, err := file.DynamicSymbols()
		require.NoError(t, err)
		for _, s := range symbols {
			if s.Name == "__vdso_clock_gettime" {
				return start + s.Value
			}
		}
	}
	require.FailNow(t, "no clock_gettime in the vDSO of "+dir)
	return 0
}

// counters are the program counters of all threads, once they have stopped.
func counters(t testing.TB, dir string) []uint64 {
	t.Helper()
	var found []uint64
	Until(t, 10*time.Second, "all threads have stopped", func() bool {
		found = nil
		files, err := filepath.Glob(filepath.Join(dir, "task/*/syscall"))
		require.NoError(t, err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			fields := strings.Fields(string(text))
			if fields[0] == "running" {
				return false
			}
			var counter uint64
			_, err = fmt.Sscanf(fields[len(fields)-1], "0x%x", &counter)
			require.NoError(t, err)
			found = append(found, counter)
		}
		return len(found) > 0
	})
	return found
}
