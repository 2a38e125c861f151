package blob_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/callwright/callwright/internal/blob"
	"github.com/callwright/callwright/internal/domain"
)

func newDisk(t *testing.T) (disk *blob.Disk, dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "recordings")
	disk, err := blob.NewDisk(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := disk.Close(); err != nil {
			t.Error(err)
		}
	})
	return disk, dir
}

// record stores content as the recording of a new call.
func record(t *testing.T, disk *blob.Disk, content []byte) (name string) {
	t.Helper()
	file, name, err := disk.Create(t.Context(), domain.NewID())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteAt(content, 0); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return name
}

func load(t *testing.T, disk *blob.Disk, name string) []byte {
	t.Helper()
	file, err := disk.Open(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(file)
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	return content
}

func TestRecordingRoundTrip(t *testing.T) {
	disk, dir := newDisk(t)
	const call = domain.ID("0195d2f0a000123456789abc") // 26 March 2025
	file, name, err := disk.Create(t.Context(), call)
	if err != nil {
		t.Fatal(err)
	}
	if want := "2025/03/" + string(call) + ".wav"; name != want {
		t.Fatalf("the recording is named %q, want %q", name, want)
	}
	for at, part := range map[int64]string{4: "sound", 0: "head"} {
		if _, err := file.WriteAt([]byte(part), at); err != nil {
			t.Fatal(err)
		}
	}
	if got := load(t, disk, name); string(got) != "headsound" {
		t.Fatalf("while it is written it holds %q", got)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := disk.Create(t.Context(), call); domain.CodeOf(err) != domain.CodeConflict {
		t.Fatalf("a second recording of a call: %v, want a conflict", err)
	}
	if got, want := disk.Path(name), filepath.Join(dir, "2025", "03", string(call)+".wav"); got != want {
		t.Fatalf("it is at %q, want %q", got, want)
	}
	info, err := os.Stat(disk.Path(name))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("its mode is %v (%v), want it readable by its owner only", info.Mode(), err)
	}
}

func TestNamesStayInTheDirectory(t *testing.T) {
	disk, dir := newDisk(t)
	secret := filepath.Join(filepath.Dir(dir), "secret.wav")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	id := string(domain.NewID())
	if err := os.MkdirAll(filepath.Join(dir, "2025", "03"), 0o700); err != nil {
		t.Fatal(err)
	}
	link := "2025/03/" + id + ".wav"
	if err := os.Symlink(secret, filepath.Join(dir, link)); err != nil {
		t.Fatal(err)
	}
	if _, err := disk.Open(t.Context(), link); err == nil {
		t.Error("a symlink out of the directory was followed")
	}
	if err := disk.Repair(t.Context(), link); err == nil {
		t.Error("a symlink out of the directory was repaired")
	}
	if disk.Path(link) != "" {
		t.Error("a symlink has a path")
	}
	for _, name := range []string{
		"", ".", "..", "/", "../secret.wav", "2025/03/../../../secret.wav", secret, "2025/03/" + id, "2025/13/" + id + ".wav",
		"2025/03/" + strings.ToUpper(id) + "X.wav", "2025/03/" + id + ".wav\n", "2025\\03\\" + id + ".wav", "2025/04/" + id + ".wav",
		"x/2025/03/" + id + ".wav", "2025/03/" + id + ".wav\x00",
	} {
		if _, err := disk.Open(t.Context(), name); domain.CodeOf(err) != domain.CodeNotFound {
			t.Errorf("Open(%q): %v, want not found", name, err)
		}
		if err := disk.Repair(t.Context(), name); domain.CodeOf(err) != domain.CodeNotFound {
			t.Errorf("Repair(%q): %v, want not found", name, err)
		}
		if got := disk.Path(name); got != "" {
			t.Errorf("Path(%q) = %q, want none", name, got)
		}
	}
	for _, call := range []domain.ID{"", "x", "../../secret", domain.ID(strings.ToUpper("0195d2f0a000123456789abc")), "ffffffffffffffffffffffff"} {
		if _, _, err := disk.Create(t.Context(), call); domain.CodeOf(err) != domain.CodeInvalid {
			t.Errorf("Create(%q): %v, want invalid", call, err)
		}
	}
}

// wav is a 16-bit stereo file whose header says what it is told.
func wav(rate, riff, data uint32, sound []byte) []byte {
	var b bytes.Buffer
	put := func(parts ...any) {
		for _, p := range parts {
			if s, ok := p.(string); ok {
				b.WriteString(s)
			} else {
				_ = binary.Write(&b, binary.LittleEndian, p)
			}
		}
	}
	put("RIFF", riff, "WAVE", "fmt ", uint32(16), uint16(1), uint16(2), rate, rate*4, uint16(4), uint16(16), "data", data, sound)
	return b.Bytes()
}

func TestRepair(t *testing.T) {
	disk, _ := newDisk(t)
	sound := []byte("0123456789abcdef")
	for name, c := range map[string]struct{ have, want []byte }{
		"sizes of zero":      {wav(16000, 0, 0, sound), wav(16000, 52, 16, sound)},
		"an older size":      {wav(8000, 44, 8, sound), wav(8000, 52, 16, sound)},
		"a size too large":   {wav(8000, 1e6, 1e6, sound[:8]), wav(8000, 44, 8, sound[:8])},
		"half a sample":      {wav(48000, 0, 0, sound[:11]), wav(48000, 44, 8, sound[:8])},
		"in order":           {wav(8000, 52, 16, sound), wav(8000, 52, 16, sound)},
		"only a header":      {wav(8000, 0, 0, nil), wav(8000, 36, 0, nil)},
		"part of a header":   {wav(16000, 0, 0, nil)[:20], wav(8000, 36, 0, nil)},
		"nothing":            {nil, wav(8000, 36, 0, nil)},
		"no header":          {append(make([]byte, 44), sound...), wav(8000, 52, 16, sound)},
		"a rate of nonsense": {wav(7, 0, 0, sound), wav(8000, 52, 16, sound)},
	} {
		t.Run(name, func(t *testing.T) {
			recording := record(t, disk, c.have)
			for range 2 { // the second repair finds nothing to do
				if err := disk.Repair(t.Context(), recording); err != nil {
					t.Fatal(err)
				}
				if got := load(t, disk, recording); !bytes.Equal(got, c.want) {
					t.Fatalf("got  %q\nwant %q", got, c.want)
				}
			}
		})
	}
}

func FuzzRepair(f *testing.F) {
	f.Add(wav(8000, 0, 0, []byte("0123456")))
	f.Add([]byte("RIFF"))
	f.Add([]byte{})
	dir := f.TempDir()
	disk, err := blob.NewDisk(dir)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = disk.Close() })
	f.Fuzz(func(t *testing.T, content []byte) {
		name := record(t, disk, content)
		if err := disk.Repair(t.Context(), name); err != nil {
			t.Fatal(err)
		}
		got := load(t, disk, name)
		size := max(len(content)-44, 0) / 4 * 4
		if len(got) != 44+size || binary.LittleEndian.Uint32(got[40:]) != uint32(size) || binary.LittleEndian.Uint32(got[4:]) != uint32(size+36) {
			t.Fatalf("%d bytes became %d that say %d", len(content), len(got), binary.LittleEndian.Uint32(got[40:]))
		}
		if size > 0 && !bytes.Equal(got[44:], content[44:44+size]) {
			t.Fatal("the sound was changed")
		}
	})
}
