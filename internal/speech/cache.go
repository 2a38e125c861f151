package speech

import (
	"container/list"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/callwright/callwright/internal/audio"
)

// CacheOptions bounds a Cache. The zero value of a field is its default.
type CacheOptions struct {
	Bytes     int64  // of sound kept in memory; 64 MB
	Dir       string // where prepared sound is kept too; "" is nowhere
	DiskBytes int64  // of sound kept there; 256 MB
}

// CacheStats counts what a cache did.
type CacheStats struct {
	Hits, DiskHits, Misses int64
	Entries                int
	Bytes                  int64
	DiskFault              string // the last thing that went wrong with the directory, or ""
}

// Cache keeps the sound of texts by engine, voice, rate and text. Several engines
// share one. It is safe for concurrent use.
type Cache struct {
	maxBytes int64
	disk     *diskCache // nil when there is none

	mu      sync.Mutex
	entries map[string]*list.Element // of *cacheEntry
	recent  *list.List               // the front was used last
	bytes   int64
	flights map[string]*flight

	hits, diskHits, misses atomic.Int64
}

type cacheEntry struct {
	key string
	pcm []int16 // never changed
}

// entryOf is what an element of the list of recent sounds holds.
func entryOf(e *list.Element) *cacheEntry {
	entry, _ := e.Value.(*cacheEntry) // add puts nothing else in
	return entry
}

// NewCache makes a cache. It fails when the directory cannot be made.
func NewCache(o CacheOptions) (*Cache, error) {
	if o.Bytes == 0 {
		o.Bytes = 64 << 20
	}
	if o.DiskBytes == 0 {
		o.DiskBytes = 256 << 20
	}
	c := &Cache{
		maxBytes: o.Bytes,
		entries:  map[string]*list.Element{},
		recent:   list.New(),
		flights:  map[string]*flight{},
	}
	if o.Dir != "" {
		disk, err := openDiskCache(o.Dir, o.DiskBytes)
		if err != nil {
			return nil, fmt.Errorf("speech: cannot keep prepared sound in %s: %w", o.Dir, err)
		}
		c.disk = disk
	}
	return c, nil
}

// Stats tells what the cache did and holds.
func (c *Cache) Stats() CacheStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := CacheStats{
		Hits: c.hits.Load(), DiskHits: c.diskHits.Load(), Misses: c.misses.Load(),
		Entries: len(c.entries), Bytes: c.bytes,
	}
	if c.disk != nil {
		s.DiskFault = c.disk.lastFault()
	}
	return s
}

// Wrap puts the cache before an engine.
func (c *Cache) Wrap(engine TTS) *Cached { return &Cached{cache: c, engine: engine} }

// Cached is an engine with a cache before it: a TTS of the same name and voices.
// Callers who want the same text at once share one synthesis.
type Cached struct {
	cache  *Cache
	engine TTS
}

// Name is the engine's.
func (c *Cached) Name() string { return c.engine.Name() }

// Voices are the engine's.
func (c *Cached) Voices() []Voice { return c.engine.Voices() }

// Remote is the engine's.
func (c *Cached) Remote() bool { return isRemote(c.engine) }

// Speak writes the sound of text from the cache, or from the engine as it comes.
func (c *Cached) Speak(ctx context.Context, voice, text string, out audio.Writer) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	key := c.key(voice, text, out.SampleRate())
	pcm, f := c.find(ctx, key, voice, text, out.SampleRate())
	if f == nil {
		return writeFrames(ctx, pcm, out)
	}
	defer c.leave(key, f)
	return f.follow(ctx, out)
}

// Preparation is a set of texts to be synthesised before they are needed.
type Preparation struct {
	Voice      string
	SampleRate int // hertz of the writer they will be spoken to
	Texts      []string
	Keep       bool // on disk too; not for texts that tell of a person
}

// Prepare synthesises the texts that the cache does not have, two at a time. It
// returns the first error; texts that were done stay.
func (c *Cached) Prepare(ctx context.Context, p Preparation) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(2)
	for _, text := range p.Texts {
		group.Go(func() error {
			if err := c.Speak(ctx, p.Voice, text, nowhere(p.SampleRate)); err != nil {
				return err
			}
			if p.Keep {
				c.cache.keep(c.key(p.Voice, text, p.SampleRate))
			}
			return nil
		})
	}
	return group.Wait()
}

func (c *Cached) key(voice, text string, rate int) string {
	h := sha256.New()
	// No part may run into the next: each but the last ends with a zero byte.
	fmt.Fprintf(h, "1\x00%s\x00%d\x00", strings.ReplaceAll(FullName(c.engine, voice), "\x00", ""), rate)
	h.Write([]byte(text))
	return hex.EncodeToString(h.Sum(nil))
}

// find returns the sound of key, or a flight that is making it; the caller must
// leave the flight.
func (c *Cached) find(ctx context.Context, key, voice, text string, rate int) ([]int16, *flight) {
	cache := c.cache
	cache.mu.Lock()
	defer cache.mu.Unlock()
	if e, found := cache.entries[key]; found {
		cache.recent.MoveToFront(e)
		cache.hits.Add(1)
		return entryOf(e).pcm, nil
	}
	f, found := cache.flights[key]
	if found {
		cache.hits.Add(1)
	} else {
		f = newFlight(ctx, rate)
		cache.flights[key] = f
		go c.fly(f, key, voice, text)
	}
	f.passengers++
	return nil, f
}

// leave takes a passenger off a flight; the last one ends it.
func (c *Cached) leave(key string, f *flight) {
	c.cache.mu.Lock()
	defer c.cache.mu.Unlock()
	if f.passengers--; f.passengers == 0 {
		f.abandon()
		if c.cache.flights[key] == f {
			delete(c.cache.flights, key)
		}
	}
}

// fly makes the sound of a flight, from disk or by the engine.
func (c *Cached) fly(f *flight, key, voice, text string) {
	cache := c.cache
	defer f.cancel(nil)
	if cache.disk != nil {
		if pcm, found := cache.disk.read(key); found {
			cache.diskHits.Add(1)
			c.land(f, key, pcm, nil)
			return
		}
	}
	cache.misses.Add(1)
	err := guarded(c.engine, func() error { return c.engine.Speak(f.ctx, voice, text, f) })
	c.land(f, key, nil, err)
}

// land ends a flight: what came is kept, the followers are told.
func (c *Cached) land(f *flight, key string, pcm []int16, err error) {
	if pcm == nil {
		pcm = f.sound()
	}
	cache := c.cache
	cache.mu.Lock()
	if cache.flights[key] == f {
		delete(cache.flights, key)
	}
	if err == nil {
		cache.add(key, pcm)
	}
	cache.mu.Unlock()
	f.finish(pcm, err)
}

// keep writes sound that is in memory to disk, unless it is there.
func (c *Cache) keep(key string) {
	if c.disk == nil || c.disk.has(key) {
		return
	}
	c.mu.Lock()
	var pcm []int16
	e, found := c.entries[key]
	if found {
		pcm = entryOf(e).pcm
	}
	c.mu.Unlock()
	if found {
		c.disk.write(key, pcm)
	}
}

// add keeps sound in memory and drops what was not used for longest. The cache
// is locked.
func (c *Cache) add(key string, pcm []int16) {
	size := int64(len(pcm)) * 2
	if _, found := c.entries[key]; found || size > c.maxBytes/4 {
		return
	}
	c.entries[key] = c.recent.PushFront(&cacheEntry{key: key, pcm: slices.Clone(pcm)})
	c.bytes += size
	for c.bytes > c.maxBytes {
		oldest := c.recent.Back()
		e := entryOf(oldest)
		c.recent.Remove(oldest)
		delete(c.entries, e.key)
		c.bytes -= int64(len(e.pcm)) * 2
	}
}

// writeFrames writes whole sound; the last frame is filled up with silence.
func writeFrames(ctx context.Context, pcm []int16, out audio.Writer) error {
	framer := audio.NewFramer(out)
	step := audio.FrameSize(out.SampleRate())
	for len(pcm) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(step, len(pcm))
		if err := framer.Write(pcm[:n]); err != nil {
			return err
		}
		pcm = pcm[n:]
	}
	return framer.Flush()
}

// nowhere is a writer that takes sound of its rate and drops it.
type nowhere int

func (n nowhere) SampleRate() int          { return int(n) }
func (n nowhere) WriteFrame([]int16) error { return nil }
func (n nowhere) String() string           { return "nowhere" }
func (n nowhere) Close() error             { return nil }
