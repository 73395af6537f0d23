//! Invariant: a value goes into the engine and out of it by value; of what comes out, size and depth are bounded before
//! it is written.

use plugin_api::value::{MAX_DEPTH, Output, ValueError, ValueRef, Writer};
use rquickjs::object::Filter;
use rquickjs::{Array, Ctx, Function, Object, String as Text, Type, Value as Script};

use crate::number::as_integer;
use crate::operand::{Operand, View, stopped};

/// What of the intrinsics has to be at hand for reading values out.
pub(crate) struct Reading<'js> {
    /// Gives the text of a date, null of an invalid one, and nothing for everything else.
    pub(crate) date: Function<'js>,
    /// Bytes that may still be written.
    pub(crate) budget: usize,
    /// Levels that may still be entered.
    depth: usize,
    /// Why the reading ended.
    pub(crate) stopped: Option<Stopped>,
}

/// Why a result was not read to its end.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// The engine has an exception.
    Thrown,
    /// The result is too large.
    Size,
    /// The result is no value.
    Unfit(String),
}

impl<'js> Reading<'js> {
    pub(crate) fn new(date: Function<'js>, budget: usize) -> Self {
        Self {
            date,
            budget,
            depth: MAX_DEPTH,
            stopped: None,
        }
    }

    fn stop<T>(&mut self, why: Stopped) -> Result<T, ValueError> {
        self.stopped.get_or_insert(why);
        Err(stopped())
    }

    fn unfit<T>(&mut self, what: &str) -> Result<T, ValueError> {
        self.stop(Stopped::Unfit(format!(
            "the result holds {what}, which is no value"
        )))
    }

    fn spend(&mut self, bytes: usize) -> Result<(), ValueError> {
        match self.budget.checked_sub(bytes) {
            Some(left) => {
                self.budget = left;
                Ok(())
            }
            None => self.stop(Stopped::Size),
        }
    }

    fn ok<T>(&mut self, result: rquickjs::Result<T>) -> Result<T, ValueError> {
        result.or_else(|error| {
            self.stop(match error {
                rquickjs::Error::Exception => Stopped::Thrown,
                rquickjs::Error::Allocation => Stopped::Size,
                other => Stopped::Unfit(other.to_string()),
            })
        })
    }

    /// Writes what a script gave.
    pub(crate) fn write<O: Output>(
        &mut self,
        value: &Script<'js>,
        writer: Writer<'_, O>,
    ) -> Result<(), ValueError> {
        self.spend(1)?;
        match value.type_of() {
            Type::Undefined | Type::Null | Type::Uninitialized => writer.null(),
            Type::Bool => writer.bool(value.as_bool().unwrap_or_default()),
            Type::Int => writer.i64(i64::from(value.as_int().unwrap_or_default())),
            Type::Float => {
                let number = value.as_number().unwrap_or_default();
                match as_integer(number) {
                    Some(integer) => writer.i64(integer),
                    None if number.is_finite() => writer.f64(number),
                    None if number.is_nan() => self.unfit("NaN"),
                    None => self.unfit("an infinite number"),
                }
            }
            Type::String => {
                let text = self.text(value)?;
                self.spend(text.len() + 4)?;
                writer.str(&text)
            }
            Type::BigInt => self.unfit("a big integer"),
            Type::Symbol => self.unfit("a symbol"),
            Type::Function | Type::Constructor => self.unfit("a function"),
            Type::Promise => self.unfit("a promise"),
            Type::Array => {
                let Some(array) = value.as_array().cloned() else {
                    return self.unfit("an odd list");
                };
                self.deeper(|reading| reading.write_array(&array, writer))
            }
            _ => {
                let Some(object) = value.as_object().cloned() else {
                    return self.unfit("an odd object");
                };
                self.deeper(|reading| reading.write_object(&object, writer))
            }
        }
    }

    /// Reads a text; half a surrogate pair in it becomes U+FFFD.
    fn text(&mut self, value: &Script<'js>) -> Result<String, ValueError> {
        let Some(text) = value.as_string() else {
            return Ok(String::new());
        };
        match text.to_string() {
            Err(rquickjs::Error::Utf8(_)) => {
                let object: Object<'js> = self.ok(value.ctx().globals().get("String"))?;
                let prototype: Object<'js> = self.ok(object.get("prototype"))?;
                let mend: Function<'js> = self.ok(prototype.get("toWellFormed"))?;
                self.ok(mend.call((rquickjs::function::This(value.clone()),)))
            }
            read => self.ok(read),
        }
    }

    fn deeper(&mut self, inner: impl FnOnce(&mut Self) -> Result<(), ValueError>) -> Result<(), ValueError> {
        let Some(depth) = self.depth.checked_sub(1) else {
            return self.stop(Stopped::Unfit(format!(
                "the result is nested more than {MAX_DEPTH} deep, or holds itself"
            )));
        };
        self.depth = depth;
        let done = inner(self);
        self.depth += 1;
        done
    }

    fn write_array<O: Output>(
        &mut self,
        array: &Array<'js>,
        writer: Writer<'_, O>,
    ) -> Result<(), ValueError> {
        // Lists may be longer than the engine's small integers.
        let claimed: f64 = self.ok(array.as_object().get("length"))?;
        if claimed > self.budget as f64 {
            return self.stop(Stopped::Size);
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is 0 to the budget"
        )]
        let length = claimed as usize;
        writer.list(|list| {
            for index in 0..length {
                let item: Script<'js> = self.ok(array.get(index))?;
                list.item(|w| self.write(&item, w))?;
            }
            Ok(())
        })
    }

    fn write_object<O: Output>(
        &mut self,
        object: &Object<'js>,
        writer: Writer<'_, O>,
    ) -> Result<(), ValueError> {
        let date: Script<'js> = self.ok(self.date.call((object.clone(),)))?;
        if date.is_null() {
            return writer.null();
        }
        if date.is_string() {
            let text = self.text(&date)?;
            return writer.str(&text);
        }
        writer.map(|map| {
            for key in object.own_keys::<Script<'js>>(Filter::new().string().enum_only()) {
                let key = self.ok(key)?;
                let name = self.text(&key)?;
                self.spend(name.len() + 4)?;
                let value: Script<'js> = self.ok(object.get(key))?;
                map.entry(&name, |w| self.write(&value, w))?;
            }
            Ok(())
        })
    }
}

/// Makes a value of the engine.
pub(crate) fn into_script<'js>(ctx: &Ctx<'js>, operand: &Operand<'_>) -> rquickjs::Result<Script<'js>> {
    view_into_script(ctx, operand.view())
}

fn view_into_script<'js>(ctx: &Ctx<'js>, view: View<'_>) -> rquickjs::Result<Script<'js>> {
    Ok(match view {
        View::Undefined => Script::new_undefined(ctx.clone()),
        View::Null => Script::new_null(ctx.clone()),
        View::Bool(value) => Script::new_bool(ctx.clone(), value),
        View::Int(value) => match i32::try_from(value) {
            Ok(small) => Script::new_int(ctx.clone(), small),
            Err(_) => Script::new_float(ctx.clone(), value as f64),
        },
        View::Float(value) => Script::new_number(ctx.clone(), value),
        View::Text(text) => Text::from_str(ctx.clone(), text)?.into_value(),
        View::Bytes(_) => Text::from_str(ctx.clone(), &view.to_text())?.into_value(),
        View::List(list) => {
            let array = Array::new(ctx.clone())?;
            for (index, item) in list.iter().enumerate() {
                array.set(index, view_into_script(ctx, item.into())?)?;
            }
            array.into_value()
        }
        View::Map(map) => {
            let object = Object::new(ctx.clone())?;
            for (key, value) in map {
                // Without the accessor of old this is a plain key, but nothing is gained by it.
                if key != "__proto__" {
                    object.set(key, view_into_script(ctx, value.into())?)?;
                }
            }
            object.into_value()
        }
        View::Node(node) => node_into_script(ctx, node)?,
    })
}

fn node_into_script<'js>(ctx: &Ctx<'js>, node: crate::NodeView<'_>) -> rquickjs::Result<Script<'js>> {
    let of = |value: ValueRef<'_>| view_into_script(ctx, value.into());
    let output = of(node.output)?;
    // What a path would find: the entries of the output, and over them what a node shows.
    let object = Object::new(ctx.clone())?;
    if let Some(map) = node.output.as_map() {
        for (key, value) in map {
            if key != "__proto__" {
                object.set(key, of(value)?)?;
            }
        }
    }
    for alias in ["output", "json", "data"] {
        object.set(alias, output.clone())?;
    }
    object.set("status", node.status)?;
    object.set("success", node.status == "success")?;
    object.set("error", node.error.map(|(_, message)| message))?;
    object.set("errorCode", node.error.map(|(code, _)| code))?;
    Ok(object.into_value())
}
