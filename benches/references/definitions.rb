# Ruby by its own parser. Paths come on standard input, one a line; for each a line of JSON goes out:
# {path, error} or {path, found: [[name, kind, line]]}.
require "json"
require "ripper"

class Finder
  attr_reader :found

  def initialize = @found = []

  def name(node) # of a constant or a method, as written
    case node[0]
    when :const_ref, :top_const_ref, :var_ref, :var_field then node[0] == :top_const_ref ? "::#{name(node[1])}" : name(node[1])
    when :const_path_ref then "#{name(node[1])}::#{name(node[2])}"
    else node[1].is_a?(String) ? node[1] : "?"
    end
  end

  def line(node)
    return node[2][0] if node.is_a?(Array) && node[0].is_a?(Symbol) && node[0].to_s.start_with?("@") && node[2].is_a?(Array)
    node.is_a?(Array) ? node.each { |one| (at = line(one)) && (return at) } && nil : nil
  end

  def add(name, kind, node) = @found << [name, kind, line(node)]

  def maker?(node)
    node = node[1] if node[0] == :method_add_block || node[0] == :method_add_arg
    node = node[1] if node[0] == :method_add_arg
    return false unless node[0] == :call && node[1][0] == :var_ref
    [%w[Struct new], %w[Class new], %w[Data define]].include?([name(node[1]), name(node[3])])
  end

  def visit(node, place)
    return unless node.is_a?(Array)
    case node[0]
    when :module then add(name(node[1]), "module", node[1]); return visit(node[2], :type)
    when :class then add(name(node[1]), "class", node[1]); return visit(node[3], :type)
    when :def
      made = place == :type && node[1][1] == "initialize" ? "constructor" : place == :type ? "method" : "function"
      add(node[1][1], made, node[1])
      return visit(node[2..], :function)
    when :defs
      myself = node[1][0] == :var_ref && node[1][1][1] == "self"
      add(node[3][1], myself && place != :type ? "function" : "method", node[3])
      return visit(node[4..], :function)
    when :assign, :opassign
      left = node[1]
      if node[0] == :assign && left[0] == :var_field && left[1] && left[1][0] == :@const
        made = maker?(node[2])
        add(left[1][1], made ? "class" : "constant", left)
        return visit(node[2], made ? :type : place)
      end
    end
    node.each { |one| visit(one, place) }
  end
end

$stdin.each_line(chomp: true) do |path|
  tree = Ripper.sexp(File.binread(path).force_encoding("UTF-8"))
  if tree
    finder = Finder.new
    finder.visit(tree, :open)
    puts JSON.generate(path:, found: finder.found)
  else
    puts JSON.generate(path:, error: "does not parse")
  end
end
