import * as React from "react";

export interface BoardProps {
  readonly rows: number;
  onPick?(cell: Cell): void;
}

export type Cell = { row: number; column: number };

const MAX_ROWS = 12;

export enum Mark { Cross = "x", Nought = "o" }

/** Draws the cells. */
export const Board: React.FC<BoardProps> = ({ rows, onPick }) => {
  const [picked, setPicked] = React.useState<Cell | null>(null);
  function pick(cell: Cell) {
    setPicked(cell);
    onPick?.(cell);
  }
  return (
    <div>
      {Array.from({ length: Math.min(rows, MAX_ROWS) }, (_, row) => (
        <button key={row} onClick={() => pick({ row, column: 0 })}>{picked?.row === row ? Mark.Cross : ""}</button>
      ))}
    </div>
  );
};

export class Game extends React.Component<BoardProps, { turn: Mark }> {
  static readonly FIRST = Mark.Cross;
  state = { turn: Game.FIRST };
  private readonly next = () => this.setState({ turn: Mark.Nought });

  get turn(): Mark {
    return this.state.turn;
  }

  render() {
    return <Board rows={this.props.rows} onPick={this.next} />;
  }
}

export default function App() {
  return <Game rows={3} />;
}
