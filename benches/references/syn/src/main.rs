//! Rust by `syn`. Paths come on standard input, one a line; for each a line of JSON goes out:
//! {path, error} or {path, found: [[name, kind, line]]}.

use serde_json::{Value, json};
use syn::visit::{self, Visit};

#[derive(Default)]
struct Finder {
    found: Vec<Value>,
    in_type: bool,
    in_function: bool,
}

impl Finder {
    fn add(&mut self, name: &syn::Ident, kind: &str) {
        self.found.push(json!([name.to_string(), kind, name.span().start().line]));
    }

    fn within(&mut self, in_type: bool, in_function: bool, go: impl FnOnce(&mut Self)) {
        let before = (self.in_type, self.in_function);
        (self.in_type, self.in_function) = (in_type, in_function);
        go(self);
        (self.in_type, self.in_function) = before;
    }
}

impl<'a> Visit<'a> for Finder {
    fn visit_item_fn(&mut self, one: &'a syn::ItemFn) {
        self.add(&one.sig.ident, "function");
        self.within(false, true, |own| visit::visit_block(own, &one.block));
    }
    fn visit_impl_item_fn(&mut self, one: &'a syn::ImplItemFn) {
        self.add(&one.sig.ident, "method");
        self.within(false, true, |own| visit::visit_block(own, &one.block));
    }
    fn visit_trait_item_fn(&mut self, one: &'a syn::TraitItemFn) {
        self.add(&one.sig.ident, "method");
        if let Some(body) = &one.default {
            self.within(false, true, |own| visit::visit_block(own, body));
        }
    }
    fn visit_foreign_item_fn(&mut self, one: &'a syn::ForeignItemFn) {
        self.add(&one.sig.ident, "function");
    }
    fn visit_foreign_item_static(&mut self, one: &'a syn::ForeignItemStatic) {
        self.add(&one.ident, "variable");
    }
    fn visit_foreign_item_type(&mut self, one: &'a syn::ForeignItemType) {
        self.add(&one.ident, "type");
    }
    fn visit_item_struct(&mut self, one: &'a syn::ItemStruct) {
        self.add(&one.ident, "struct");
    }
    fn visit_item_enum(&mut self, one: &'a syn::ItemEnum) {
        self.add(&one.ident, "enum");
    }
    fn visit_item_union(&mut self, one: &'a syn::ItemUnion) {
        self.add(&one.ident, "union");
    }
    fn visit_item_trait(&mut self, one: &'a syn::ItemTrait) {
        self.add(&one.ident, "trait");
        self.within(true, false, |own| visit::visit_item_trait(own, one));
    }
    fn visit_item_impl(&mut self, one: &'a syn::ItemImpl) {
        self.within(true, false, |own| visit::visit_item_impl(own, one));
    }
    fn visit_item_type(&mut self, one: &'a syn::ItemType) {
        self.add(&one.ident, "type");
    }
    fn visit_item_mod(&mut self, one: &'a syn::ItemMod) {
        if one.content.is_some() {
            self.add(&one.ident, "module");
            self.within(false, false, |own| visit::visit_item_mod(own, one));
        }
    }
    fn visit_item_const(&mut self, one: &'a syn::ItemConst) {
        if one.ident != "_" && !self.in_function {
            self.add(&one.ident, "constant");
        }
        self.within(self.in_type, self.in_function, |own| visit::visit_expr(own, &one.expr));
    }
    fn visit_impl_item_const(&mut self, one: &'a syn::ImplItemConst) {
        self.add(&one.ident, "constant");
    }
    fn visit_trait_item_const(&mut self, one: &'a syn::TraitItemConst) {
        self.add(&one.ident, "constant");
    }
    fn visit_item_static(&mut self, one: &'a syn::ItemStatic) {
        if !self.in_function {
            self.add(&one.ident, "variable");
        }
    }
    fn visit_item_macro(&mut self, one: &'a syn::ItemMacro) {
        if let Some(name) = &one.ident {
            self.add(name, "macro");
        }
    }
    fn visit_expr_closure(&mut self, one: &'a syn::ExprClosure) {
        self.within(false, true, |own| visit::visit_expr_closure(own, one));
    }
}

fn main() {
    for path in std::io::stdin().lines().map_while(Result::ok) {
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap_or_default()).into_owned();
        let answer = match syn::parse_file(&text) {
            Ok(file) => {
                let mut finder = Finder::default();
                finder.visit_file(&file);
                json!({"path": path, "found": finder.found})
            }
            Err(error) => json!({"path": path, "error": error.to_string()}),
        };
        println!("{answer}");
    }
}
