package main

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// operations writes a method for each operation.
func (g *generator) operations() ([]byte, error) {
	var out bytes.Buffer
	seen := map[string]string{}
	for _, op := range g.contract.operations() {
		name := exported(op.OperationID)
		if other, twice := seen[name]; twice {
			return nil, fmt.Errorf("%s and %s are both called %s in Go", other, op.OperationID, name)
		}
		seen[name] = op.OperationID
		g.operation(&out, op, name)
	}
	return out.Bytes(), nil
}

// operation writes one method, and the type of its query.
func (g *generator) operation(out *bytes.Buffer, op *operation, name string) {
	args, path := "ctx context.Context", strconv.Quote(op.path)
	for _, p := range op.in("path") {
		args += ", " + local(p.Name) + " string"
		path = strings.ReplaceAll(path, "{"+p.Name+"}", `" + url.PathEscape(`+local(p.Name)+`) + "`)
	}
	path = strings.TrimSuffix(path, ` + ""`)
	query := op.in("query")
	request := fmt.Sprintf("method: %q, path: %s", op.method, path)
	if len(query) > 0 {
		g.query(out, name, query)
		args += ", query " + name + "Query"
		request += ", query: query.values()"
	}
	switch contentType, body := op.body(); contentType {
	case "":
	case "application/json":
		args += ", body " + g.goType(body)
		request += ", body: body"
	default:
		args += ", contentType string, body io.Reader"
		request += ", contentType: contentType, raw: body"
	}
	args += ", more ...Option"
	doc := comment("", name+" does: "+op.Summary+". "+op.method+" "+op.path+". "+op.Description)
	contentType, result := op.success()
	method := func(returns, does string) {
		fmt.Fprintf(out, "\n%sfunc (c *Client) %s(%s) %s {\n\treturn %s\n}\n", doc, name, args, returns, does)
	}
	request = "request{" + request + "}, more"
	switch {
	case contentType == "text/event-stream":
		method("iter.Seq2[Event, error]", "c.stream(ctx, "+request+")")
	case contentType == "":
		method("error", "c.do(ctx, "+request+", nil)")
	case contentType != "application/json":
		method("(*http.Response, error)", "c.open(ctx, "+request+")")
	case result.kind() == "array":
		item := g.goType(result.Items)
		method("(*Page["+item+"], error)", "page["+item+"](ctx, c, "+request+")")
		g.all(out, op, name, args, item, "page["+item+"]", request)
	default:
		goType := g.goType(result)
		method("(*"+goType+", error)", "object["+goType+"](ctx, c, "+request+")")
		if member, item := g.envelope(op, result); member != "" {
			g.all(out, op, name, args, item, "enveloped(func(e *"+goType+") []"+item+" { return e."+member+" })", request)
		}
	}
}

// all writes an iterator over every page of a list.
func (g *generator) all(out *bytes.Buffer, op *operation, name, args, item, fetch, request string) {
	if !pages(op) {
		return
	}
	each := "All" + strings.TrimPrefix(name, "List")
	out.WriteString("\n" + comment("", each+" goes through every page of "+name+". An error ends it."))
	fmt.Fprintf(out, "func (c *Client) %s(%s) iter.Seq2[%s, error] {\n\treturn all(ctx, c, %s, %s)\n}\n", each, args, item, fetch, request)
}

// pages reports whether an operation answers page by page.
func pages(op *operation) bool {
	found := 0
	for _, p := range op.in("query") {
		if p.Name == "limit" || p.Name == "offset" {
			found++
		}
	}
	return found == 2
}

// envelope finds the list in an object that is a page: its only array.
func (g *generator) envelope(op *operation, s *schema) (member, item string) {
	if s.Ref != "" {
		s = g.named[g.ref(s)]
	}
	if s == nil || !pages(op) {
		return "", ""
	}
	for name, of := range s.Properties {
		if of.kind() != "array" {
			continue
		}
		if member != "" {
			return "", ""
		}
		member, item = exported(name), g.goType(of.Items)
	}
	return member, item
}

// query writes the type of an operation's query. Zero values are not sent.
func (g *generator) query(out *bytes.Buffer, name string, params []parameter) {
	out.WriteString("\n" + comment("", name+"Query is the query of "+name+"; what is zero is not sent."))
	fmt.Fprintf(out, "type %sQuery struct {\n", name)
	for _, p := range params {
		if p.Description != "" {
			out.WriteString(comment("\t", p.Description))
		}
		fmt.Fprintf(out, "\t%s %s\n", exported(p.Name), g.goType(p.Schema))
	}
	fmt.Fprintf(out, "}\n\nfunc (q *%sQuery) values() url.Values {\n\tv := url.Values{}\n", name)
	for _, p := range params {
		fmt.Fprintf(out, "\taddQuery(v, %q, q.%s)\n", p.Name, exported(p.Name))
	}
	out.WriteString("\treturn v\n}\n")
}
