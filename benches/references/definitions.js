// JavaScript, TypeScript and PHP by parsers of their own worlds: the TypeScript compiler, glayzzle's php-parser.
// Paths come on standard input, one a line; for each a line of JSON goes out: {path, error} or {path, found: [[name, kind, line]]}.
// What counts is what docs/definitions.md says, written down here a second time on purpose.
'use strict';
const fs = require('fs');
const path = require('path');
const from = (name) => require(require.resolve(name, { paths: [process.env.NODE_PATH || process.cwd()] }));

const loud = (name) => name.length > 1 && /[A-Z]/.test(name) && !/[a-z]/.test(name);

function script(file, text) {
  const ts = from('typescript');
  const K = ts.SyntaxKind;
  const kinds = { '.tsx': ts.ScriptKind.TSX, '.ts': ts.ScriptKind.TS, '.mts': ts.ScriptKind.TS, '.jsx': ts.ScriptKind.JSX };
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true, kinds[path.extname(file)] || ts.ScriptKind.JSX);
  if (source.parseDiagnostics.length) throw new Error(ts.flattenDiagnosticMessageText(source.parseDiagnostics[0].messageText, ' '));
  const found = [];
  const add = (name, kind, node) => { found.push([name, kind, source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1]); };
  const key = (node) => (node.text !== undefined ? node.text : node.getText(source));
  const isFunction = (node) => node && (node.kind === K.FunctionExpression || node.kind === K.ArrowFunction);
  const made = (node) => (isFunction(node) ? 'function' : node && node.kind === K.ClassExpression ? 'class' : null);
  const modified = (node, kind) => (node.modifiers || []).some((one) => one.kind === kind);
  const inside = (nodes, place) => nodes.forEach((one) => one && visit(one, place));
  const isPath = (text) => /^[\w$.\u0080-\uffff]{1,99}$/.test(text);

  // What is given to a name: the value's own insides belong to it.
  function value(node, place) {
    if (!node) return;
    if (isFunction(node)) return inside([...node.parameters, node.body], 'function');
    if (node.kind === K.ClassExpression) return inside(node.members, 'type');
    if (node.kind === K.ObjectLiteralExpression) return inside(node.properties, 'type');
    visit(node, place);
  }
  function assigned(node, place) {
    const { left, right } = node;
    if (left.kind !== K.PropertyAccessExpression) return visit(right, place);
    const object = left.expression.getText(source);
    const name = left.name.text;
    const open = place === 'open';
    const kind = made(right);
    const isObject = right.kind === K.ObjectLiteralExpression;
    if (object === 'module' && name === 'exports') {
      if (!open || !(kind || isObject)) return visit(right, place);
      add((kind && right.name && right.name.text) || 'exports', kind || 'constant', node);
      return value(right, 'type');
    }
    if (object === 'exports' || object === 'module.exports') {
      const again = [K.Identifier, K.PropertyAccessExpression, K.CallExpression, K.PrefixUnaryExpression, K.VoidExpression, K.TypeOfExpression, K.DeleteExpression].includes(right.kind);
      const chained = right.kind === K.BinaryExpression && right.operatorToken.kind === K.EqualsToken;
      if (open && !chained && (kind || isObject || loud(name) || !again)) add(name, kind || 'constant', node);
      return open && (kind || isObject) ? value(right, place) : visit(right, place);
    }
    if (name === 'prototype' && isObject && isPath(object)) return inside(right.properties, 'type');
    if (!kind) return visit(right, place);
    if (object.endsWith('.prototype') && isPath(object)) add(name, kind === 'function' ? 'method' : kind, node);
    else if (object === 'this' && !open) add(name, 'method', node);
    else if (open && isPath(object)) add(name, kind === 'function' ? 'method' : kind, node);
    return value(right, place);
  }
  function visit(node, place) {
    const children = (where) => ts.forEachChild(node, (one) => void visit(one, where));
    switch (node.kind) {
      case K.FunctionDeclaration: {
        const nameless = !node.name && modified(node, K.DefaultKeyword);
        if (node.name || nameless) add(node.name ? node.name.text : 'default', place === 'type' ? 'method' : 'function', node);
        return inside([...node.parameters, node.body], 'function');
      }
      case K.ClassDeclaration:
        add(node.name ? node.name.text : 'default', 'class', node);
        return inside(node.members, 'type');
      case K.InterfaceDeclaration:
        add(node.name.text, 'interface', node);
        return inside(node.members, 'type');
      case K.TypeAliasDeclaration: return add(node.name.text, 'type', node);
      case K.EnumDeclaration: return add(node.name.text, 'enum', node);
      case K.ModuleDeclaration: {
        let name = key(node.name);
        let body = node.body;
        while (body && body.kind === K.ModuleDeclaration) { name += '.' + key(body.name); body = body.body; }
        if (!(node.flags & ts.NodeFlags.GlobalAugmentation)) add(name, 'namespace', node);
        return body && ts.forEachChild(body, (one) => void visit(one, 'open'));
      }
      case K.Constructor: add('constructor', 'constructor', node); return inside([...node.parameters, node.body], 'function');
      case K.MethodDeclaration: case K.MethodSignature: case K.GetAccessor: case K.SetAccessor: {
        const property = node.kind === K.GetAccessor || node.kind === K.SetAccessor;
        if (place === 'type') add(key(node.name), property ? 'property' : 'method', node);
        return inside([...node.parameters, node.body], 'function');
      }
      case K.PropertyDeclaration: {
        const name = key(node.name);
        const kind = made(node.initializer);
        if (kind) { add(name, kind === 'function' ? 'method' : kind, node); return value(node.initializer, 'function'); }
        if (node.initializer && loud(name)) add(name, 'constant', node);
        return node.initializer && visit(node.initializer, 'function');
      }
      case K.PropertyAssignment: {
        const kind = made(node.initializer);
        if (kind && place === 'type') { add(key(node.name), kind === 'function' ? 'method' : kind, node); return value(node.initializer, place); }
        return visit(node.initializer, place);
      }
      case K.VariableStatement: {
        const exported = modified(node, K.ExportKeyword) || modified(node, K.DeclareKeyword);
        const fixed = !!(node.declarationList.flags & ts.NodeFlags.Const);
        for (const one of node.declarationList.declarations) {
          if (one.name.kind !== K.Identifier || place !== 'open') { one.initializer && visit(one.initializer, place); continue; }
          const kind = made(one.initializer);
          const object = one.initializer && one.initializer.kind === K.ObjectLiteralExpression;
          if (kind || object || exported || (fixed && loud(one.name.text))) add(one.name.text, kind || (fixed ? 'constant' : 'variable'), one);
          kind || object ? value(one.initializer, place) : one.initializer && visit(one.initializer, place);
        }
        return;
      }
      case K.ExportAssignment: {
        const kind = made(node.expression) || (node.expression.kind === K.ObjectLiteralExpression ? 'constant' : null);
        if (kind && !node.isExportEquals) { add((node.expression.name && node.expression.name.text) || 'default', kind, node); return value(node.expression, place); }
        return visit(node.expression, place);
      }
      case K.BinaryExpression:
        if (node.operatorToken.kind === K.EqualsToken) return assigned(node, place);
        return children(place);
      case K.FunctionExpression: case K.ArrowFunction: case K.ArrayLiteralExpression: return children('function');
      case K.ClassExpression: return inside(node.members, 'type');
      case K.TypeLiteral: return children('none');
      default: return children(place);
    }
  }
  ts.forEachChild(source, (one) => void visit(one, 'open'));
  return found;
}

function php(file, text) {
  const { Engine } = from('php-parser');
  const tree = new Engine({ parser: { php8: true, suppressErrors: false }, ast: { withPositions: true } }).parseCode(text, file);
  const found = [];
  const add = (name, kind, node) => found.push([typeof name === 'string' ? name : name.name, kind, node.loc.start.line]);
  const types = { class: 'class', interface: 'interface', trait: 'trait', enum: 'enum' };
  function visit(node, inType) {
    if (!node || typeof node !== 'object') return;
    if (Array.isArray(node)) return node.forEach((one) => visit(one, inType));
    if (node.kind === 'class' && node.isAnonymous) return;
    if (node.kind in types) { add(node.name, types[node.kind], node); return visit(node.body, true); }
    if (node.kind === 'namespace' && node.name && node.name !== '\\') add(node.name, 'namespace', node);
    if (node.kind === 'function') { add(node.name, 'function', node); inType = false; }
    if (node.kind === 'method') { add(node.name, node.name.name === '__construct' ? 'constructor' : 'method', node); inType = false; }
    if (node.kind === 'classconstant' || node.kind === 'constantstatement') node.constants.forEach((one) => add(one.name, 'constant', one));
    if (node.kind === 'call' && node.what.kind === 'name' && node.what.name === 'define' && node.arguments[0] && node.arguments[0].kind === 'string') add(node.arguments[0].value, 'constant', node);
    for (const [name, child] of Object.entries(node)) if (name !== 'loc') visit(child, inType);
  }
  visit(tree.children, false);
  return found;
}

for (const file of fs.readFileSync(0, 'utf8').split('\n').filter(Boolean)) {
  let answer;
  try {
    const text = fs.readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
    answer = { path: file, found: /\.php$/.test(file) ? php(file, text) : script(file, text) };
  } catch (error) {
    answer = { path: file, error: String(error.message || error) };
  }
  fs.writeSync(1, JSON.stringify(answer) + '\n');
}
