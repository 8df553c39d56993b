// Go by the parser of its own distribution. Paths come on standard input, one a line; for each a line of
// JSON goes out: {path, error} or {path, found: [[name, kind, line]]}. Run with `go run definitions.go`.
package main

import (
	"bufio"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		files := token.NewFileSet()
		tree, err := parser.ParseFile(files, lines.Text(), nil, 0)
		if err != nil {
			out.Encode(map[string]any{"path": lines.Text(), "error": err.Error()})
			continue
		}
		found := [][]any{}
		add := func(name string, kind string, at token.Pos) {
			found = append(found, []any{name, kind, files.Position(at).Line})
		}
		local := 0
		var visit func(ast.Node) bool
		visit = func(node ast.Node) bool {
			switch one := node.(type) {
			case *ast.FuncDecl:
				kind := "function"
				if one.Recv != nil {
					kind = "method"
				}
				add(one.Name.Name, kind, one.Name.Pos())
				if one.Body != nil {
					local++
					ast.Inspect(one.Body, visit)
					local--
				}
				return false
			case *ast.FuncLit:
				local++
				ast.Inspect(one.Body, visit)
				local--
				return false
			case *ast.TypeSpec:
				kind := "type"
				switch one.Type.(type) {
				case *ast.StructType:
					kind = "struct"
				case *ast.InterfaceType:
					kind = "interface"
				}
				if one.Assign.IsValid() {
					kind = "type"
				}
				add(one.Name.Name, kind, one.Name.Pos())
			case *ast.InterfaceType:
				for _, method := range one.Methods.List {
					if _, isFunc := method.Type.(*ast.FuncType); isFunc {
						for _, name := range method.Names {
							add(name.Name, "method", name.Pos())
						}
					}
				}
			case *ast.GenDecl:
				for _, spec := range one.Specs {
					if values, ok := spec.(*ast.ValueSpec); ok && local == 0 {
						for _, name := range values.Names {
							if name.Name != "_" {
								add(name.Name, map[token.Token]string{token.CONST: "constant", token.VAR: "variable"}[one.Tok], name.Pos())
							}
						}
					}
				}
			}
			return true
		}
		ast.Inspect(tree, visit)
		out.Encode(map[string]any{"path": lines.Text(), "found": found})
	}
}
