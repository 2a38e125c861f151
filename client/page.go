package client

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/url"
	"strconv"
	"strings"
)

// Page is one page of a list.
type Page[T any] struct {
	Items []T
	Total int // how many there are in all; -1 when the server does not say
	next  *url.URL
}

// pageSize is how many items an iterator asks for at once: the most that the API
// gives.
const pageSize = 200

// page runs a request whose answer is a list.
func page[T any](ctx context.Context, c *Client, r request, more []Option) (*Page[T], error) {
	return fetchPage(ctx, c, r, more, func(raw []byte, p *Page[T]) error { return json.Unmarshal(raw, &p.Items) })
}

// enveloped returns what runs a request whose answer is an object with a list.
func enveloped[E, T any](list func(*E) []T) fetch[T] {
	return func(ctx context.Context, c *Client, r request, more []Option) (*Page[T], error) {
		return fetchPage(ctx, c, r, more, func(raw []byte, p *Page[T]) error {
			e := new(E)
			err := json.Unmarshal(raw, e)
			p.Items = list(e)
			return err
		})
	}
}

// fetch gets one page.
type fetch[T any] func(context.Context, *Client, request, []Option) (*Page[T], error)

func fetchPage[T any](ctx context.Context, c *Client, r request, more []Option, decode func([]byte, *Page[T]) error) (*Page[T], error) {
	var raw json.RawMessage
	var meta Meta
	if err := c.do(ctx, r, append(more[:len(more):len(more)], Into(&meta)), &raw); err != nil {
		return nil, err
	}
	p := &Page[T]{Total: -1}
	if err := decode(raw, p); err != nil {
		return nil, fmt.Errorf("the list at %s is not as the contract says: %w", r.path, err)
	}
	if n, err := strconv.Atoi(meta.Header.Get("X-Total-Count")); err == nil {
		p.Total = n
	}
	var err error
	p.next, err = c.next(r, meta.Header.Values("Link"), len(p.Items))
	return p, err
}

// next is where the page after one with n items is, nil when that was the last:
// what the server links (RFC 8288), else the next offset.
func (c *Client) next(r request, links []string, n int) (*url.URL, error) {
	at, err := url.Parse(c.target(r))
	if err != nil {
		return nil, err
	}
	for _, link := range links {
		for part := range strings.SplitSeq(link, ",") {
			target, params, _ := strings.Cut(part, ";")
			target = strings.TrimSpace(target)
			if !strings.Contains(params, `rel="next"`) || len(target) < 2 {
				continue
			}
			next, err := at.Parse(target[1 : len(target)-1])
			if err == nil && (next.Host != at.Host || next.Scheme != at.Scheme) {
				err = fmt.Errorf("the next page is at another server: %s", next.Host)
			}
			return next, err
		}
	}
	limit, _ := strconv.Atoi(at.Query().Get("limit")) // "" is none
	if len(links) > 0 || limit <= 0 || n < limit {
		return nil, nil
	}
	q := at.Query()
	offset, _ := strconv.Atoi(q.Get("offset")) // "" is 0
	q.Set("offset", strconv.Itoa(offset+n))
	at.RawQuery = q.Encode()
	return at, nil
}

// all goes through all pages from the one that r asks for.
func all[T any](ctx context.Context, c *Client, get fetch[T], r request, more []Option) iter.Seq2[T, error] {
	if r.query.Get("limit") == "" {
		r.query.Set("limit", strconv.Itoa(pageSize))
	}
	return func(yield func(T, error) bool) {
		r := r
		for {
			p, err := get(ctx, c, r, more)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range p.Items {
				if !yield(item, nil) {
					return
				}
			}
			if p.next == nil || len(p.Items) == 0 {
				return
			}
			r.target = p.next
		}
	}
}
