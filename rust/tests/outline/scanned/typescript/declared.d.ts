/** What a package declares. */
export declare class Store<K, V> extends Map<K, V> {
    #private;
    private readonly cache;
    static readonly DEFAULT: number;
    constructor(options?: Options<K>);
    /** Gets. */
    get(key: K): V | undefined;
    set: (key: K, value: V) => this;
    get size(): number;
    protected abstract run?(): void;
}
export declare function make<K, V>(options: {
    /** Inside. */
    a: K;
}): Store<K, V>;
export declare const make2: <A, B = never>(a: A) => Promise<[A, B]>, other: unique symbol;
export declare type Alias<T> = {
    [K in keyof T]: T[K] extends (...args: infer P) => infer R ? (...args: P) => R : never;
};
export { };
export declare namespace Store {
    /** In it. */
    interface Options<T> {
        on(event: "a" | "b", listener: (this: Store<T, any>, x: string) => void): this;
        on(event: string | symbol, listener: (...args: any[]) => void): this;
    }
    type X = string;
    const y: number;
    function z(): void;
}
declare const _default: {
    a: string;
};
export default _default;
//# sourceMappingURL=x
