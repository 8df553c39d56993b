"""Which language a file is written in, from its name and its first bytes.

Owns: the tables of names, extensions, interpreters and editor modes, and the order in which they are
asked. Does not own: reading (the caller hands over the head) and outlining.

The answer depends on nothing but the last component of the path and the head, so that two files with
equal content and equal extension share one stored result wherever they lie.
"""

import re
from typing import Final

HEAD_BYTES: Final = 8192
"""How much of a file `detect` and `is_binary` look at; git uses the same window for its binary test."""

# Languages that the core outlines today keep the names it gives them; the others get a name so that
# `--lang` filters and the counts of `status` are useful, and a record without symbols.
_EXTENSIONS: Final[dict[str, str]] = {
    extension: language
    for language, extensions in {
        "python": "py pyi pyw",
        "javascript": "js mjs cjs jsx es6",
        "typescript": "ts mts cts",
        "tsx": "tsx",
        "go": "go",
        "rust": "rs",
        "java": "java",
        "c": "c",
        "cpp": "cc cpp cxx c++ hh hpp hxx h++ ipp inl tcc txx cu cuh ino cppm ixx",
        "csharp": "cs csx",
        "ruby": "rb rake gemspec ru rbi podspec jbuilder",
        "php": "php php3 php4 php5 php7 phtml phps",
        "kotlin": "kt kts",
        "swift": "swift",
        "shell": "sh bash zsh ksh ash bats ebuild eclass",
        "markdown": "md markdown mdown mkd mdx qmd rmd",
        "asciidoc": "adoc asciidoc",
        "assembly": "s asm nasm",
        "awk": "awk gawk",
        "batch": "bat cmd",
        "bazel": "bzl bazel",
        "bitbake": "bb bbappend bbclass",
        "clojure": "clj cljs cljc edn",
        "cmake": "cmake",
        "coffeescript": "coffee",
        "css": "css",
        "csv": "csv tsv",
        "cython": "pyx pxd pxi",
        "d": "di",
        "dart": "dart",
        "devicetree": "dts dtsi dtso",
        "diff": "diff patch",
        "elixir": "ex exs",
        "elm": "elm",
        "erlang": "erl hrl",
        "fortran": "f f77 f90 f95 f03 f08 for ftn",
        "fish": "fish",
        "fsharp": "fs fsi fsx",
        "gdscript": "gd",
        "glsl": "glsl vert frag geom comp tesc tese",
        "graphql": "graphql gql",
        "groovy": "groovy gradle gvy",
        "haskell": "hs lhs",
        "hcl": "hcl tf tfvars",
        "html": "html htm xhtml",
        "ini": "ini cfg conf properties editorconfig",
        "jinja": "j2 jinja jinja2",
        "jsonnet": "jsonnet libsonnet",
        "json": "json jsonc json5 jsonl ndjson geojson webmanifest ipynb",
        "julia": "jl",
        "latex": "tex sty cls bib",
        "less": "less",
        "linker-script": "lds ld",
        "lisp": "lisp lsp el scm ss rkt",
        "log": "log",
        "lua": "lua",
        "make": "mk mak",
        "meson": "meson",
        "nim": "nim",
        "nix": "nix",
        "nushell": "nu",
        "objective-c": "mm",
        "ocaml": "ml mli",
        "org": "org",
        "pascal": "pas dpr",
        "perl": "pm pod t",
        "powershell": "ps1 psm1 psd1",
        "prisma": "prisma",
        "protobuf": "proto",
        "r": "r",
        "rego": "rego",
        "rst": "rst rest",
        "sass": "sass scss",
        "scala": "scala sc sbt",
        "smalltalk": "st",
        "solidity": "sol",
        "sql": "sql psql ddl",
        "starlark": "star",
        "svelte": "svelte",
        "systemverilog": "sv svh",
        "tcl": "tcl tk",
        "text": "txt text",
        "thrift": "thrift",
        "toml": "toml",
        "verilog": "vh",
        "vhdl": "vhd vhdl",
        "vim": "vim",
        "vue": "vue",
        "wgsl": "wgsl",
        "xml": "xml xsd xsl xslt svg plist rss atom csproj fsproj vcxproj props targets",
        "yacc": "y yy",
        "lex": "l ll",
        "yaml": "yaml yml",
        "zig": "zig",
    }.items()
    for extension in extensions.split()
}

_NAMES: Final[dict[str, str]] = {
    "makefile": "make",
    "gnumakefile": "make",
    "kbuild": "make",
    "kconfig": "kconfig",
    "dockerfile": "dockerfile",
    "containerfile": "dockerfile",
    "cmakelists.txt": "cmake",
    "meson.build": "meson",
    "meson_options.txt": "meson",
    "build": "bazel",
    "workspace": "bazel",
    "tiltfile": "starlark",
    "gemfile": "ruby",
    "rakefile": "ruby",
    "vagrantfile": "ruby",
    "podfile": "ruby",
    "brewfile": "ruby",
    "fastfile": "ruby",
    "guardfile": "ruby",
    "capfile": "ruby",
    "jenkinsfile": "groovy",
    "sconstruct": "python",
    "sconscript": "python",
    "wscript": "python",
    "snakefile": "python",
    "buck": "starlark",
    "berksfile": "ruby",
    "thorfile": "ruby",
    "dangerfile": "ruby",
    "pipfile": "toml",
    "uv.lock": "toml",
    "pipfile.lock": "json",
    "flake.lock": "json",
    "package.resolved": "json",
    "cargo.lock": "toml",
    "poetry.lock": "toml",
    "go.mod": "go-mod",
    "go.sum": "text",
    "go.work": "go-mod",
    "composer.lock": "json",
    "pkgbuild": "shell",
    "apkbuild": "shell",
    ".bashrc": "shell",
    ".bash_profile": "shell",
    ".bash_aliases": "shell",
    ".profile": "shell",
    ".zshrc": "shell",
    ".zshenv": "shell",
    ".envrc": "shell",
    ".vimrc": "vim",
    ".clang-format": "yaml",
    ".clang-tidy": "yaml",
    ".clangd": "yaml",
    ".yamllint": "yaml",
    ".swcrc": "json",
    ".jshintrc": "json",
    ".babelrc": "json",
    ".eslintrc": "json",
    ".prettierrc": "json",
    ".gitconfig": "ini",
    ".gitmodules": "ini",
    ".editorconfig": "ini",
    ".npmrc": "ini",
    "readme": "text",
    "license": "text",
    "copying": "text",
    "authors": "text",
    "maintainers": "text",
    "changelog": "text",
    "news": "text",
    "notice": "text",
    "install": "text",
    "codeowners": "text",
}

# Names that carry a suffix of their own: Dockerfile.alpine, Makefile.am, Kconfig.debug.
_NAME_PREFIXES: Final = (
    ("dockerfile.", "dockerfile"),
    ("containerfile.", "dockerfile"),
    ("makefile.", "make"),
    ("kconfig.", "kconfig"),
)

_INTERPRETERS: Final[dict[str, str]] = {
    "python": "python",
    "pypy": "python",
    "uv": "python",
    "pipx": "python",
    "ipython": "python",
    "node": "javascript",
    "nodejs": "javascript",
    "bun": "javascript",
    "deno": "typescript",
    "ts-node": "typescript",
    "tsx": "typescript",
    "ruby": "ruby",
    "jruby": "ruby",
    "php": "php",
    "sh": "shell",
    "bash": "shell",
    "dash": "shell",
    "ash": "shell",
    "ksh": "shell",
    "mksh": "shell",
    "zsh": "shell",
    "busybox": "shell",
    "bats": "shell",
    "fish": "fish",
    "nu": "nushell",
    "swipl": "prolog",
    "perl": "perl",
    "lua": "lua",
    "luajit": "lua",
    "tclsh": "tcl",
    "wish": "tcl",
    "expect": "tcl",
    "awk": "awk",
    "gawk": "awk",
    "mawk": "awk",
    "make": "make",
    "swift": "swift",
    "kotlin": "kotlin",
    "rscript": "r",
    "julia": "julia",
    "escript": "erlang",
    "elixir": "elixir",
    "groovy": "groovy",
    "scala": "scala",
    "rust-script": "rust",
    "pwsh": "powershell",
    "stap": "systemtap",
    "runhaskell": "haskell",
    "ocaml": "ocaml",
    "guile": "lisp",
    "racket": "lisp",
}

# What editors call a language where it is not the name or an extension used above.
_MODES: Final[dict[str, str]] = {
    "c++": "cpp",
    "cs": "csharp",
    "c#": "csharp",
    "sh": "shell",
    "shell": "shell",
    "shell-script": "shell",
    "js": "javascript",
    "js2": "javascript",
    "typescriptreact": "tsx",
    "cperl": "perl",
    "makefile": "make",
    "gmake": "make",
    "conf": "ini",
    "dosini": "ini",
    "asm": "assembly",
    "emacs-lisp": "lisp",
    "scheme": "lisp",
    "tex": "latex",
    "nxml": "xml",
    "objc": "objective-c",
    "rst": "rst",
}

_EMACS_MODE: Final = re.compile(rb"-\*-(?:.*?\bmode:)?\s*([A-Za-z][\w+#-]*)\s*(?:;.*?)?-\*-", re.IGNORECASE)
_VIM_MODE: Final = re.compile(
    rb"(?:^|\s)(?:vi|vim|ex)[<=>\d]*:.*?\b(?:ft|filetype|syntax)=([A-Za-z][\w+#-]*)"
)

# A clause (`a(X) :- b.`), a directive, or a comment as only Prolog has them at the start of a line.
_PROLOG: Final = re.compile(rb"^(?::-[ \t]*[a-z]|[a-z]\w*(?:\([^\n]*\))?[ \t]*:-|%!?[ \t])", re.M)
_PERL: Final = re.compile(
    rb"^[ \t]*(?:use[ \t]+[\w:.]+|package[ \t]+[\w:]+|(?:my|our)[ \t]*[$@%(]|sub[ \t]+\w+|require\b|=\w+)",
    re.M,
)
# What GCC calls a machine description begins its forms in the first column.
_MACHINE: Final = re.compile(rb"^\(define_\w+", re.M)
# A shell whose first deed is to become something else: how scripts found their interpreter before `env`.
_EXEC: Final = re.compile(
    rb"^[ \t\"':]*exec[ \t]+(?:/\S*/|env[ \t]+)?([a-z]+[0-9.]*)[ \t][^\n]*\$\{?0\b", re.M
)


def is_binary(head: bytes) -> bool:
    """True when the head holds a NUL byte: no text in an encoding that the outliners know."""
    return b"\0" in head[:HEAD_BYTES]


def detect(path: str, head: bytes) -> str | None:
    """The language of a text file, or None when nothing tells.

    Asked in this order: the whole name, the extension (with the head where an extension has several
    owners), names that are continued freely (``Dockerfile.dev``), the shebang line, an editor's mode
    line. `path` may be a path or only a name.
    """
    head = head[:HEAD_BYTES]
    name = path.rpartition("/")[2]
    lower = name.lower()
    found = _NAMES.get(lower)
    if found is not None:
        return found
    stem, dot, extension = lower.rpartition(".")
    if dot and stem:
        # Templates of generated files are written in the language of what they become: config.h.in.
        if extension in ("in", "tmpl", "tpl", "template", "orig", "dist") and "." in stem:
            extension = stem.rpartition(".")[2]
        # `.C` and `.H` are C++ where case matters; everywhere else case is noise.
        if name.endswith((".C", ".H")):
            return "cpp"
        found = _EXTENSIONS.get(extension)
        if extension in _SHARED:
            found = _ambiguous(extension, head) or found
        if found is not None:
            return found
        if found is not None:
            return found
    for prefix, language in _NAME_PREFIXES:
        if lower.startswith(prefix):
            return language
    return _shebang(head) or _modeline(head)


_SHARED: Final = frozenset({"h", "m", "inc", "d", "v", "ts", "tsx", "pl", "md", "cls"})
"""Extensions that `_ambiguous` knows."""


def _ambiguous(extension: str, head: bytes) -> str | None:
    """Extensions with several owners, told apart by the head; None for what the table says, if anything."""
    match extension:
        case "h":
            from currant import _core  # not at import: what only names files needs no core

            if _core.has_mode_words(head):
                mode = _modeline(head)
                if mode in ("c", "cpp", "objective-c"):
                    return mode
            return _core.header_language(head)
        case "m":
            from currant import _core

            if _core.is_objective_c(head) or b"#include" in head:
                return "objective-c"
            # Matlab's comments begin with a percent sign; in no language do both stand at the start.
            return "objective-c" if head.lstrip()[:2] in (b"//", b"/*") else (_modeline(head) or "matlab")
        case "ts" | "tsx":
            # Translations of Qt, tile sets of Tiled.
            return "xml" if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:5] in (b"<?xml", b"<!DOC") else None
        case "pl":
            asked = _shebang(head) or _modeline(head)
            if asked is not None:
                return asked
            return "prolog" if _PROLOG.search(head) and not _PERL.search(head) else "perl"
        case "md":
            return "lisp" if _MACHINE.search(head) else None
        case "cls":
            return None if b"\\" in head or not head.strip() else "text"
        case "inc":
            if b"<?php" in head:
                return "php"
            return _modeline(head)
        case "d":
            return "d" if re.search(rb"^\s*(?:module|import)\s+[\w.]+\s*[;:]", head, re.M) else None
        case "v":
            if re.search(rb"^\s*(?:module|`timescale|`include|`define)\b", head, re.M):
                return "verilog"
            return (
                "coq"
                if re.search(rb"^\s*(?:Require|Theorem|Lemma|Definition|Section)\b", head, re.M)
                else None
            )
    return None


def _shebang(head: bytes) -> str | None:
    """The language of `#!/usr/bin/env -S python3 -u` and the like."""
    if not head.startswith(b"#!"):
        return None
    line = head[2:].split(b"\n", 1)[0].decode("ascii", "replace")
    words = line.split()
    if not words:
        return None
    program = words[0].rpartition("/")[2]
    if program == "env":
        # Options and assignments may stand before the program.
        rest = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
        if not rest:
            return None
        program = rest[0].rpartition("/")[2]
    program = program.lower().removesuffix(".exe")
    if program in ("sh", "bash", "dash", "ksh"):
        become = _EXEC.search(head, 0, 400)
        found = None if become is None else _interpreter(become[1].decode("ascii"))
        if found is not None:
            return found
    return _interpreter(program)


def _interpreter(program: str) -> str | None:
    """The language that a program of this name reads; versions at its end do not matter."""
    return _INTERPRETERS.get(program) or _INTERPRETERS.get(program.rstrip("0123456789.-"))


def _modeline(head: bytes) -> str | None:
    """The language that an Emacs or Vim mode line in the first five lines asks for."""
    if b"-*-" not in head and b"ft=" not in head and b"filetype=" not in head and b"syntax=" not in head:
        return None
    for line in head.split(b"\n", 5)[:5]:
        match = _EMACS_MODE.search(line) or _VIM_MODE.search(line)
        if match is None:
            continue
        mode = match.group(1).decode("ascii").lower().removesuffix("-mode").removesuffix("-ts")
        found = _MODES.get(mode)
        if found is not None:
            return found
        if mode in _KNOWN:
            return mode
        found = _EXTENSIONS.get(mode)
        if found is not None:
            return found
    return None


_KNOWN: Final = (
    frozenset(_EXTENSIONS.values()) | frozenset(_NAMES.values()) | frozenset(_INTERPRETERS.values())
)

KNOWN_LANGUAGES: Final = _KNOWN | {"objective-c", "matlab", "d", "verilog", "coq"}
"""Every language that `detect` can answer with."""
