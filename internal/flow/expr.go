package flow

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"
)

const maxExpr = 2000 // bytes

// expression is compiled once and run by many calls at once.
type expression struct {
	program *vm.Program
	names   []string // variables it reads, sorted
}

// newExpression compiles source in the language of expr-lang.org. Variables that
// are not there when it runs are nil. A condition must be able to be true or
// false.
func newExpression(source string, condition bool) (*expression, error) {
	if len(source) > maxExpr {
		return nil, fmt.Errorf("is longer than %d characters", maxExpr)
	}
	names, err := namesIn(source)
	if err != nil {
		return nil, wording(err)
	}
	options := []expr.Option{
		expr.Env(map[string]any{}),
		expr.AllowUndefinedVariables(),
		expr.Patch(shadow{}),
	}
	if condition {
		options = append(options, expr.AsBool())
	}
	program, err := expr.Compile(source, options...)
	if err != nil {
		return nil, wording(err)
	}
	return &expression{program, names}, nil
}

// wording takes the message out of a compiler's error, without the source.
func wording(err error) error {
	var at *file.Error
	if errors.As(err, &at) {
		message, _, _ := strings.Cut(at.Message, "\n")
		return fmt.Errorf("does not compile: %s (column %d)", message, at.Column+1)
	}
	message, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New("does not compile: " + message)
}

// namesIn lists the variables that an expression reads.
func namesIn(source string) ([]string, error) {
	tree, err := parser.Parse(source)
	if err != nil {
		return nil, err
	}
	var c nameCollector
	ast.Walk(&tree.Node, &c)
	if c.unknown != "" {
		return nil, fmt.Errorf("there is no function %s", quote(c.unknown))
	}
	names := slices.DeleteFunc(c.read, func(name string) bool { return slices.Contains(c.own, name) })
	slices.Sort(names)
	return slices.Compact(names), nil
}

type nameCollector struct {
	read, own []string
	unknown   string // a function that does not exist here
}

// Visit notes variables that are read, those that let makes, and functions that
// do not exist. There is no now(): the time is a variable, so that a step depends
// on its arguments alone.
func (c *nameCollector) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		c.read = append(c.read, n.Value)
	case *ast.VariableDeclaratorNode:
		c.own = append(c.own, n.Name)
	case *ast.BuiltinNode:
		if n.Name == "now" {
			c.unknown = n.Name
		}
	case *ast.CallNode:
		if callee, ok := n.Callee.(*ast.IdentifierNode); ok {
			c.unknown = callee.Value
		}
	}
}

// shadow lets a variable have the name of a function: count > 1.
type shadow struct{}

// Visit makes a variable of a function's name that is not called.
func (shadow) Visit(node *ast.Node) {
	if id, ok := (*node).(*ast.IdentifierNode); ok && slices.Contains(builtin.Names, id.Value) {
		ast.Patch(node, &ast.MemberNode{Node: &ast.IdentifierNode{Value: "$env"}, Property: &ast.StringNode{Value: id.Value}})
	}
}

// value runs the expression.
func (e *expression) value(env map[string]any) (any, error) {
	value, err := expr.Run(e.program, env)
	if err != nil {
		var at *file.Error
		if errors.As(err, &at) {
			message, _, _ := strings.Cut(at.Message, "\n")
			return nil, errors.New(message)
		}
		return nil, err
	}
	return value, nil
}

// holds runs the expression as a condition. Nil is false.
func (e *expression) holds(env map[string]any) (bool, error) {
	value, err := e.value(env)
	if err != nil || value == nil {
		return false, err
	}
	holds, ok := value.(bool)
	if !ok {
		return false, fmt.Errorf("gave a %T, not true or false", value)
	}
	return holds, nil
}
