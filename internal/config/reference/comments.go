package reference

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
)

// Comments are the doc comments of struct fields, by import path, type and field: mirror/site.File.Path.
type Comments map[string]string

// Add reads the doc comments out of a Go source of the package with the given import path.
func (c Comments) Add(importPath, source string) error {
	file, err := parser.ParseFile(token.NewFileSet(), "", source, parser.ParseComments)
	if err != nil {
		return fmt.Errorf("read the comments of %s: %w", importPath, err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		if fields, ok := spec.Type.(*ast.StructType); ok {
			c.addFields(importPath+"."+spec.Name.Name, fields)
		}
		return false
	})
	return nil
}

func (c Comments) addFields(name string, fields *ast.StructType) {
	for _, f := range fields.Fields.List {
		doc := f.Doc.Text()
		if doc == "" {
			doc = f.Comment.Text()
		}
		for _, field := range f.Names {
			c[name+"."+field.Name] = strings.Join(strings.Fields(doc), " ")
		}
	}
}
