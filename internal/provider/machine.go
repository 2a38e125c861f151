package provider

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/experimental/sysfs"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"
)

// machine runs a WASI program that writes a WAV file.
type machine struct {
	load  func() ([]byte, error)
	slots chan struct{} // at most cores-1 instances: sound must be paced meanwhile
	alone bool          // no calls are carried in this process

	once    sync.Once
	ready   chan struct{} // closed when compiled or failed
	runtime wazero.Runtime
	code    wazero.CompiledModule
	err     error
}

func newMachine(load func() ([]byte, error)) *machine {
	return &machine{
		load:  load,
		slots: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)-1)),
		ready: make(chan struct{}),
	}
}

// compile makes the module ready. It is not bound to the call that came first.
func (m *machine) compile(ctx context.Context) {
	defer close(m.ready)
	code, err := m.load()
	if err != nil {
		m.err = err
		return
	}
	// Closing on a done context makes the code return to Go at every loop. That
	// costs time (kal: two times), but without it a garbage collection would wait
	// for the end of the clause, and with it all calls' sound.
	m.runtime = wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCloseOnContextDone(!m.alone))
	if _, m.err = wasi_snapshot_preview1.Instantiate(ctx, m.runtime); m.err != nil {
		return
	}
	m.code, m.err = m.runtime.CompileModule(ctx, code)
}

// run runs the program with args and returns the sound it wrote.
func (m *machine) run(ctx context.Context, args ...string) ([]int16, int, error) {
	m.once.Do(func() { go m.compile(context.WithoutCancel(ctx)) })
	select {
	case <-m.ready:
	case <-ctx.Done():
		return nil, 0, ctx.Err()
	}
	if m.err != nil {
		return nil, 0, m.err
	}
	select {
	case m.slots <- struct{}{}:
		defer func() { <-m.slots }()
	case <-ctx.Done():
		return nil, 0, ctx.Err()
	}
	ctx = experimental.WithMemoryAllocator(ctx, experimental.MemoryAllocatorFunc(borrowMemory))
	mounts, ok := wazero.NewFSConfig().(sysfs.FSConfig)
	if !ok {
		return nil, 0, errors.New("wazero cannot mount a file system of ours")
	}
	files := &wavFS{}
	var complaint bytes.Buffer
	config := wazero.NewModuleConfig().WithName("").WithStderr(&complaint).
		WithArgs(append([]string{"synthesizer", "-o", "/out/clause.wav"}, args...)...).
		WithFSConfig(mounts.WithSysFSMount(files, "/out"))
	instance, err := m.runtime.InstantiateModule(ctx, m.code, config)
	if instance != nil {
		err = errors.Join(err, instance.Close(context.WithoutCancel(ctx)))
	}
	var exit *sys.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 0 {
		err = nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("%w: %s", err, bytes.TrimSpace(complaint.Bytes()))
	}
	return readWAV(files.sound())
}

// memories are those of instances that ended. An instance starts with tens of
// megabytes, which would be as much work for the garbage collector each time.
var memories = sync.Pool{New: func() any { return &memory{} }}

// memory is an instance's linear memory. It is all zero when it is lent.
type memory struct{ bytes []byte }

func borrowMemory(_, _ uint64) experimental.LinearMemory {
	m, ours := memories.Get().(*memory)
	if !ours {
		return &memory{}
	}
	return m
}

// Reallocate makes the memory size bytes long and keeps what is in it.
func (m *memory) Reallocate(size uint64) []byte {
	if size > uint64(cap(m.bytes)) {
		grown := make([]byte, size)
		copy(grown, m.bytes)
		m.bytes = grown
	}
	m.bytes = m.bytes[:size]
	return m.bytes
}

// Free gives the memory back, cleared in steps between which the goroutine can
// be stopped.
func (m *memory) Free() {
	const step = 256 << 10
	for rest := m.bytes; len(rest) > 0; rest = rest[min(step, len(rest)):] {
		clear(rest[:min(step, len(rest))])
	}
	m.bytes = m.bytes[:0]
	memories.Put(m)
}
