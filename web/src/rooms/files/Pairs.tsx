// Names and values, as a list with a title; nothing where there are none.

export function Pairs({ title, of }: { title: string; of: Record<string, string> }) {
  const pairs = Object.entries(of);
  if (pairs.length === 0) return null;
  return (
    <section className="stack-small" aria-label={title}>
      <h3>{title}</h3>
      <dl className="facts">
        {pairs.map(([name, value]) => (
          <div key={name} className="fact">
            <dt className="wrap-anywhere">{name}</dt>
            <dd className="mono wrap-anywhere">{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
