#!/usr/bin/env ruby
# About the file.

# Documents A, in
# two lines.
module A # not this
  # First.
  ONE = 1 # trailing
  TWO, THREE = 2, 3
  LIST = [FOUR = 4, FIVE = "]", { a: 1 }]
  CHAIN = SIX = if ONE > 1 then %w[if end] else :end end
  TEXTS = [<<~'X', <<-Y.strip, <<"Z W"]
    def no; #{ end
    X
    class No
      #{TWO.map { |a| "}" }} end
    Y
  X
Z W
  LONG = foo(1,
             2) # inside
    .bar { |a| a }
    # between
    &.baz
  A::SEVEN = 7
  EIGHT ||= 8
  NINE == 9
  REGEX = /def no [\/"'] #{a / b} \#{ / # comment
  HASH = { if: 1, end: 2, :class => 3, "do": 4, def: -> do end }.freeze
  TEN = a ? B : C unless x
  private_constant ELEVEN = 11
  HANDLED = Integer("x") rescue nil

  Point = Struct.new(:x, :y) do
    # In a structure.
    def norm = Math.sqrt(x * x + y * y)
    SCALE = 2
  end
  Pair = Data.define(:left, :right) { def swap; end }
  Plain = Struct.new :a, :b
  Failure = Class.new(StandardError)
  Shape = Class.new
  Frozen = Struct.new(:a).freeze

  # The class.
  class B < Struct.new(:a, :b); end
  class ::Top
    def top() end
  end
  class C::D < (a ? E : F) # trailing
    attr_accessor :x, :y
    alias_method :a, :b
    alias end begin
    alias == eql?
    alias :if :unless
    undef def, class, []=
    include Module.new { def included; end }

    class << self
      # A class method.
      def build(*) = new(*)

      private

      def hidden; end
    end

    # Makes it.
    def initialize(a, b = {}, *c, d: "(#{a})", # first
                   e:, **f, &g)
      super()
      INNER = 1
      @if = a; @@end = b; $def = c; $' + $" + $; + $/
    end

    def self.make(a) new(a) end
    def B.other(x); end
    def bare a, b = 1, c: 2
      a if b
    end
    def keywords a:, b:
      return a unless b
      return if a
      next if a and not b
    end
    def splat *
    end

    def +(other) = other
    def -@; end
    def !; end
    def [](i); end
    def []=(i, v); end
    def <=>(other) end
    def ===(other) other == self end
    def =~(other); end
    def `(command); end
    def /(other) self / other; end
    def %(other); end
    def <<(other); end
    def value=(v) @value = v end
    def value?; !!@value end
    def save!; end
    def class; end
    def if; end
    def end() = self.end
    def Capital; end
    private def visible; end
    memoize def slow = heavy do |x| x end
    protected(def wrapped; end)

    # With loops.
    def loops
      while a do b end
      while a && (b do |c| end)
        d
      end
      until x.any? { |y| y } do z end
      for i in 0...n do puts i end
      for i, j in pairs
        puts i
      end
      begin; a; end while b
      a while b
      a until (b if c)
      loop do break if a end
      x = while true; break 1; end
      x = case y when 1 then if a then b end else c end
      y = begin 1 rescue 2 ensure 3 end
      z += if a then 1 else 2 end
      foo(if a then 1 end, unless b then 2 end)
      a.if.end.class.def
      a&.begin
      A::def
      a.
        end
      case a
      in { name: String => n, age: Integer } if n then 1
      in [x, *] unless x
        2
      end
    end

    def signs
      a = b / c; d = e / f; g = h(/i'/) / 2
      x = y ? z : w
      a = [?a, ?", ?#, ?\n, ?(] + b[1] / 2
      p %w(end if) + %i[def class], %q{it's "}, %Q|#{a + "|"}|, %{a {b} c}, %<d>, %r{e/#{f}}mi, %x(g)
      a % b; a %(c); a % (d); x %= 3
      a << b; a << <<~E
        end end def
      E
      c <<-F, <<G
      end #{x}
      F
        G
G
      "a#{b "c#{d 'e}'}"}f" 'g' "#{/"/ =~ h}" "#{%w[}]}"
      :"a b#{c}" && :'d"' && :+ && :[]= && :a? && :b! && :c= && :$/ && :@@e
      a ? (b) : [c]
      { "a": 1, b: 2, 'c' => 3, d?: 4 }
      `ls #{`pwd`}`
      -> (x) { x } ; ->(y) do y end
      foo { |a, (b, c), *d, e: 1; f| a | b }
      not_a_heredoc = 1 <<2
      yield[0] / 2 ; @a / 2 ; a[0] / 3 # /
      x = a \
        / 2
      défi = "é" ; π = 3
      __method__ ; __FILE__ ; defined?(x) ? 1 : 2
    end

=begin
Documents the next,
  def no; end
=end
    def after_block; end
  end
end

describe "thing" do
  # In a block.
  def helper; end
  TOP = 1
  it { X = 1 }
  class InBlock; def m; def nested; end end end
end

BEGIN { A = 1 }
END { puts "end" }
def last; end
LAST = <<~END_
  __END__
END_
__END__
def no; end
" ' { (
