// The body of a table that may have thousands of rows: only those near the window are in the page.

import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useLayoutEffect, useRef, useState, type ReactNode, type Ref } from "react";

/** What each row's element takes over. */
export interface RowProps {
  ref?: Ref<HTMLTableRowElement>;
  "data-index"?: number;
  "aria-rowindex"?: number;
}

interface Props<T> {
  items: readonly T[];
  columns: number;
  row: (item: T, props: RowProps) => ReactNode;
}

/** Up to so many rows are simply there, for the browser's own search too. */
const PLAIN = 200;

export function LongBody<T>({ items, columns, row }: Props<T>) {
  return items.length <= PLAIN ? (
    <tbody>{items.map((item) => row(item, {}))}</tbody>
  ) : (
    <Windowed items={items} columns={columns} row={row} />
  );
}

/** As in the style sheet, where tables become lists. */
const NARROW = window.matchMedia("(max-width: 44rem)");

function Windowed<T>({ items, columns, row }: Props<T>) {
  const body = useRef<HTMLTableSectionElement>(null);
  const [top, setTop] = useState(0);
  useLayoutEffect(() => {
    const measure = () => setTop((body.current?.getBoundingClientRect().top ?? 0) + window.scrollY);
    measure();
    window.addEventListener("resize", measure);
    return () => window.removeEventListener("resize", measure);
  }, []);
  const virtual = useWindowVirtualizer({
    count: items.length,
    // One line; where columns have no room each value has its own. The true heights come with the rows.
    estimateSize: () => (NARROW.matches ? 22 + 25 * columns : 42),
    overscan: 12,
    scrollMargin: top,
  });
  const shown = virtual.getVirtualItems();
  const before = (shown[0]?.start ?? top) - top;
  const after = virtual.getTotalSize() - ((shown.at(-1)?.end ?? top) - top);
  return (
    <tbody ref={body}>
      <Gap height={before} columns={columns} />
      {shown.map(({ index }) => {
        const item = items[index];
        return item === undefined
          ? null
          : row(item, {
              ref: virtual.measureElement,
              "data-index": index,
              // The head is the first row.
              "aria-rowindex": index + 2,
            });
      })}
      <Gap height={after} columns={columns} />
    </tbody>
  );
}

/** Stands for the rows that are not in the page. */
function Gap({ height, columns }: { height: number; columns: number }) {
  return height > 0 ? (
    <tr aria-hidden="true" className="gap">
      <td colSpan={columns} style={{ height }} />
    </tr>
  ) : null;
}
