package klen

import (
	"context"
	"net/url"
	"strconv"
	"strings"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
)

// The bounds of a list.
const (
	defaultLimit = 10
	maxLimit     = 100
	maxOffset    = 1 << 40
)

// Paging is the query of a list: a page by its number, or what follows an object.
// It is embedded in the inputs of routes.
type Paging struct {
	Page    int       `query:"page" minimum:"1" doc:"The page's number, from 1 on."`
	Limit   int       `query:"limit" minimum:"1" doc:"How many to return; more than 100 is taken as 100."`
	AfterID domain.ID `query:"after_id" doc:"Return what follows the object with this id instead of a page: next_cursor of an answer, or the last id received."`
	Cursor  domain.ID `query:"cursor" doc:"The same as after_id."`
}

// Pages is the head of a list.
type Pages struct {
	Count int `json:"count" doc:"How many there are in all."`
	Page  int `json:"page"`
	Limit int `json:"limit" doc:"How many a page has at most."`
	Pages int `json:"pages" doc:"How many pages there are."`
}

// window is what to read for a page: one row more than it shows, which tells
// whether there is another. initial is the limit of a request that names none.
func (p Paging) window(initial int) (domain.Page, error) {
	limit := p.Limit
	if limit == 0 {
		limit = initial
	}
	limit = min(limit, maxLimit)
	after := p.AfterID
	if after == "" {
		after = p.Cursor
	}
	if after != "" && !after.Valid() {
		return domain.Page{}, domain.Invalid("after_id", "after_id must be the id of the last object that was received")
	}
	return domain.Page{Limit: limit + 1, Offset: min(max(p.Page-1, 0), maxOffset/limit) * limit, After: after}, nil
}

// whole reports whether the request asks for no page at all.
func (p Paging) whole() bool { return p == Paging{} }

// head is what an answer says of its page.
func (p Paging) head(limit, total int) Pages {
	pages := 0
	if limit > 0 {
		pages = (total + limit - 1) / limit
	}
	return Pages{Count: total, Page: max(p.Page, 1), Limit: limit, Pages: pages}
}

// PageHead is the headers of a list.
type PageHead struct {
	Total int    `header:"X-Total-Count" doc:"How many there are in all."`
	Link  string `header:"Link" doc:"Where the first, previous, next and last page are (RFC 8288)."`
}

// cut shortens rows to the page and returns the cursor of what follows, nil at
// the end.
func cut[T any](rows []T, window domain.Page, id func(*T) domain.ID) ([]T, *domain.ID) {
	if limit := window.Limit - 1; len(rows) > limit {
		rows = rows[:limit]
		next := id(&rows[limit-1])
		return rows, &next
	}
	return rows, nil
}

// headers are those of the page that ctx's request asks for. A key in the query
// is not repeated.
func (p Paging) headers(ctx context.Context, head Pages, next *domain.ID) PageHead {
	out := PageHead{Total: head.Count}
	at := wire.RequestOf(ctx).Target
	if at == nil {
		return out
	}
	var links []string
	link := func(rel, name, value string) {
		q := at.Query()
		for _, drop := range []string{"api_key", "page", "after_id", "cursor"} {
			q.Del(drop)
		}
		q.Set(name, value)
		q.Set("limit", strconv.Itoa(head.Limit))
		links = append(links, "<"+(&url.URL{Path: at.Path, RawQuery: q.Encode()}).String()+`>; rel="`+rel+`"`)
	}
	byCursor := p.AfterID != "" || p.Cursor != ""
	link("first", "page", "1")
	if head.Page > 1 && !byCursor {
		link("prev", "page", strconv.Itoa(min(head.Page-1, max(head.Pages, 1))))
	}
	switch {
	case next != nil && byCursor:
		link("next", "after_id", string(*next))
	case next != nil:
		link("next", "page", strconv.Itoa(head.Page+1))
	}
	link("last", "page", strconv.Itoa(max(head.Pages, 1)))
	out.Link = strings.Join(links, ", ")
	return out
}
