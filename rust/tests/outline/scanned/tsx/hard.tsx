import * as React from "react";

/** A card. */
export const Card: React.FC<Props> = ({ title, children }: Props): JSX.Element => {
  const [open, setOpen] = React.useState<boolean>(false);
  function toggle() { setOpen(!open) }
  return <section onClick={() => toggle()} {...(rest as any)}>it's {title!} <List<string> items={[1 < 2]} render={(x: string): string => x} />
    {open ? <p>don't</p> : (x: number): number => x} {/* c */}
  </section>;
};
const generic = <T,>(x: T): T => x, generic2 = <T extends object>(x: T) => <b>{x as string}</b>, generic3 = <const T,>(x: T) => x;
const generic4 = <T = string,>(x: T) => x, gen5 = async <T,>(x: T) => { await x };
export default class Page<P> extends React.Component<P & { a: string }, State> {
  static defaultProps: Partial<Props> = { a: "b" };
  private ref = React.createRef<HTMLDivElement>();
  renderItem = <T,>(item: T): React.ReactNode => <Item key="a" {...item} />;
  render() { return <><Ctx.Provider value={{ a: this.x! }}>a &lt; b</Ctx.Provider>{this.props.a as string}</> }
}
export function Hook<T>({ a, b = <i />, ...rest }: { a: T; b?: React.ReactNode }) { return a ? <A /> : null }
const memo = React.memo(function Inner({ a }: Props) { return <a href="/x//y">{`${a}`} / text</a> }), SIZE = 3;
type Fn = <T>(x: T) => T; interface I { <T>(x: T): T; m<T>(): void }
const el = cond && <div>a</div>, less = a < b, arr = [<a key="1" />, <b key="2">x</b>], obj = { a: <a />, m() { return <b /> } };
